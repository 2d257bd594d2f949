// The application's bar: product name, tools, dataset, link, help and theme.
// Follows browser_history.js. Built once from the model; what changes later is updated in place. Labels are set as text.

function button(name, icon, action) {
  const element = document.createElement("button")
  element.type = "button"
  element.className = "icon"
  element.setAttribute("aria-label", name)
  element.title = name
  element.innerHTML = icon
  element.addEventListener("click", action)
  return element
}

// Under a prefix the page's path is <prefix><route>; the prefix is all that is not the route.
function site_root(current) {
  const path = window.location.pathname
  const end = path.endsWith(current) ? path.length - current.length : path.lastIndexOf("/")
  return path.slice(0, end).replace(/\/$/, "")
}

// The shared selection goes along from tool to tool, a tool's own options do not.
function address_of(route, model) {
  const kept = window.location.search.slice(1).split("&")
    .filter((pair) => model.shared.includes(decodeURIComponent(pair.split("=")[0])))
  const query = kept.length ? `?${kept.join("&")}` : ""
  return `${site_root(model.current)}${route}${query}`
}

function tabs(model) {
  const nav = document.createElement("nav")
  nav.setAttribute("aria-label", "Tools")
  for (const tool of model.tools) {
    const link = document.createElement("a")
    link.innerHTML = tool.icon
    const label = document.createElement("span")
    label.textContent = tool.name
    link.append(label)
    link.title = tool.description
    if (tool.route === model.current) {
      link.setAttribute("aria-current", "page")
    }
    const update = () => { link.href = address_of(tool.route, model) }
    // The address changes without an event, so the link is made when it is about to be used.
    for (const event of ["pointerenter", "pointerdown", "focus", "click"]) {
      link.addEventListener(event, update)
    }
    update()
    nav.append(link)
  }
  return nav
}

// Another dataset is another page: what was selected of the first need not exist in the second.
function dataset_chooser(model) {
  const chooser = document.createElement("label")
  chooser.className = "dataset"
  if (!model.dataset) { return chooser }
  chooser.innerHTML = model.icons.database
  if (model.datasets.length < 2) {
    const name = document.createElement("span")
    name.textContent = model.dataset
    chooser.append(name)
    chooser.title = "Dataset"
    return chooser
  }
  const select = document.createElement("select")
  select.setAttribute("aria-label", "Dataset")
  for (const name of model.datasets) {
    const option = document.createElement("option")
    option.value = option.textContent = name
    option.selected = name === model.dataset
    select.append(option)
  }
  select.addEventListener("change", () => {
    window.location.search = `?dataset=${encodeURIComponent(select.value)}`
  })
  chooser.append(select)
  return chooser
}

async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) {
    return navigator.clipboard.writeText(text)
  }
  // Without https browsers offer no clipboard, but still copy a selection.
  const area = document.createElement("textarea")
  area.value = text
  area.style.position = "fixed"
  area.style.opacity = "0"
  document.body.append(area)
  area.select()
  document.execCommand("copy")
  area.remove()
}

function copy_link(model, said) {
  const link = button("Copy link to this view", model.icons.link, async () => {
    let message = "Link copied"
    try {
      await copy(window.location.href)
      link.innerHTML = model.icons.check
    } catch (error) {
      message = "The browser does not allow copying: take the link from the address line"
    }
    said.textContent = message
    said.classList.add("shown")
    clearTimeout(link.timer)
    link.timer = setTimeout(() => {
      said.classList.remove("shown")
      link.innerHTML = model.icons.link
    }, 2500)
  })
  return link
}

function theme_button(model) {
  const root = document.documentElement
  const toggle = button("", "", () => {
    const theme = root.dataset.theme === "dark" ? "light" : "dark"
    window.times_set_theme ? window.times_set_theme(theme, true) : (root.dataset.theme = theme)
  })
  const update = () => {
    const dark = root.dataset.theme === "dark"
    const name = dark ? "Use the light theme" : "Use the dark theme"
    toggle.setAttribute("aria-label", name)
    toggle.title = name
    toggle.innerHTML = dark ? model.icons.sun : model.icons.moon
  }
  update()
  const observer = new MutationObserver(update)
  observer.observe(root, {attributes: true, attributeFilter: ["data-theme"]})
  model.on("remove", () => observer.disconnect())
  return toggle
}

function help_dialog(model) {
  const dialog = document.createElement("dialog")
  dialog.setAttribute("aria-label", "Help")
  const close = button("Close help", model.icons.close, () => dialog.close())
  const text = document.createElement("div")
  text.className = "help-text"
  const update = () => {
    text.replaceChildren(...model.help.split(/\n\s*\n/).map((paragraph) => {
      const element = document.createElement("p")
      element.textContent = paragraph.trim()
      return element
    }))
  }
  model.on("help", update)
  update()
  dialog.append(close, text)
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) { dialog.close() }
  })
  return dialog
}

// A line that runs along the bar while an answer is on its way; quick ones come without it.
function work_mark(model) {
  const mark = document.createElement("div")
  mark.className = "working"
  mark.setAttribute("role", "progressbar")
  mark.setAttribute("aria-label", "The picture is being made")
  mark.hidden = true
  let timer
  model.on("working", () => {
    clearTimeout(timer)
    if (model.working) { timer = setTimeout(() => { mark.hidden = false }, 50) } else { mark.hidden = true }
  })
  return mark
}

// On a phone the rail is a sheet over the picture: it starts closed.
function close_sheet_on_phones(view) {
  const page = view.parent?.model
  if (page?.data?.sidebar_open && window.matchMedia("(max-width: 599.95px)").matches) {
    page.data.sidebar_open = false
  }
}

export function render({model, view}) {
  report_history(model, view)
  close_sheet_on_phones(view)
  const bar = document.createElement("div")
  bar.className = "bar"
  const product = document.createElement("a")
  product.className = "product"
  product.href = `${site_root(model.current)}/`
  // On a phone there is room for the first word only.
  const [first, ...others] = model.product.split(" ")
  const rest = document.createElement("span")
  rest.textContent = ` ${others.join(" ")}`
  product.append(first, rest)

  const space = document.createElement("div")
  space.className = "space"
  const said = document.createElement("span")
  said.className = "said"
  said.setAttribute("role", "status")
  bar.append(product, tabs(model), space, dataset_chooser(model), said, copy_link(model, said))
  if (model.help) {
    const dialog = help_dialog(model)
    bar.append(button("Help", model.icons.help, () => dialog.showModal()), dialog)
  }
  bar.append(theme_button(model), work_mark(model))

  const name_page = () => {
    document.title = model.title ? `${model.title} – ${model.product}` : model.product
  }
  model.on("title", name_page)
  if (model.title) { name_page() }
  return bar
}
