// A query's plan as a tree: what happens last stands on top, where rows come from below it.
function make(tag, className, text) {
  const element = document.createElement(tag)
  if (className) { element.className = className }
  if (text !== undefined) { element.textContent = text }
  return element
}

function step(operator) {
  const item = make("li")
  const line = make("div", "step")
  line.append(make("span", "name", operator.name), make("span", "operator", operator.operator))
  if (operator.rows) { line.append(make("span", "rows", operator.rows)) }
  item.append(line)
  for (const [what, how] of operator.details) {
    const detail = make("div", "detail")
    detail.append(make("span", "what", what), make("span", "how", how))
    item.append(detail)
  }
  if (operator.children.length) {
    const list = make("ul")
    list.append(...operator.children.map(step))
    item.append(list)
  }
  return item
}

export function render({model}) {
  const root = make("ul", "plan")
  root.setAttribute("aria-label", "Steps of the query, the last one first")
  const update = () => root.replaceChildren(...(model.plan.name ? [step(model.plan)] : []))
  model.on("plan", update)
  update()
  return root
}
