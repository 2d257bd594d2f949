// Text that is only ever set through textContent: markup in data stays text.
export function render({model}) {
  const element = document.createElement(model.tag)
  const update = () => {
    element.textContent = model.text
    element.className = model.look
    if (model.role) {
      element.setAttribute("role", model.role)
    }
  }
  model.on(["text", "look", "role"], update)
  update()
  return element
}
