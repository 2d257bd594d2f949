// A list of queries to open: those that come along, or those that this browser keeps. What is kept
// stands in the browser's own storage and is never sent anywhere but into the editor.
const MOST_KEPT = {history: 200, saved: 200}
const LONGEST_KEPT = 100_000

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties)
  element.append(...children)
  return element
}

function read(key) {
  try {
    const found = JSON.parse(window.localStorage.getItem(key) || "[]")
    return Array.isArray(found) ? found.filter((entry) => entry && typeof entry.text === "string") : []
  } catch (error) { return [] }
}

function write(key, entries, most) {
  let kept = entries.slice(0, most)
  while (kept.length) {
    try {
      window.localStorage.setItem(key, JSON.stringify(kept))
      return
    } catch (error) { kept = kept.slice(0, Math.floor(kept.length / 2)) } // the storage is full
  }
  try { window.localStorage.removeItem(key) } catch (error) { /* none at all */ }
}

const when = (time) => new Date(time).toLocaleString([], {dateStyle: "medium", timeStyle: "short"})

export function render({model}) {
  const kept = model.kind === "history" || model.kind === "saved"
  const key = `times-sql-${model.kind}`
  const root = make("div", {className: "entries"})
  const box = make("input", {type: "search", spellcheck: false, placeholder: model.placeholder})
  box.setAttribute("aria-label", model.placeholder)
  const list = make("div", {})
  root.append(box, list)

  const small = (label, text, act) => {
    const button = make("button", {type: "button", className: "small", textContent: text, title: label})
    button.setAttribute("aria-label", label)
    button.addEventListener("click", act)
    return button
  }

  const entry_row = (entry, place) => {
    const open = make("button", {type: "button", className: "open", title: entry.hint || entry.text || ""},
      make("span", {className: "title", textContent: entry.title}),
      make("span", {className: "sub", textContent: entry.sub}))
    if (!kept && entry.name === model.current) { open.setAttribute("aria-current", "true") }
    open.addEventListener("click", () => model.send_msg(kept
      ? {open: {text: entry.text, values: entry.values || {}, title: model.kind === "saved" ? entry.title : ""}}
      : {name: entry.name}))
    const row = make("div", {className: "row"}, open)
    if (kept) {
      row.append(small(`Remove ${entry.title}`, "×", () => {
        write(key, read(key).filter((other, at) => at !== place), MOST_KEPT[model.kind])
        update()
      }))
    }
    return make("li", {className: "entry"}, row)
  }

  const entries = () => kept
    ? read(key).map((entry) => ({
      ...entry,
      title: String(entry.title || entry.text.trim().split("\n")[0]).slice(0, 120),
      sub: [entry.said, entry.time && when(entry.time)].filter(Boolean).join(" · "),
      section: "",
    }))
    : model.entries

  const update = () => {
    const wanted = box.value.toLowerCase().split(/\s+/).filter(Boolean)
    const all = entries()
    const shown = all.map((entry, place) => [entry, place]).filter(([entry]) => {
      const text = `${entry.title} ${entry.sub || ""} ${entry.text || ""} ${entry.section}`.toLowerCase()
      return wanted.every((word) => text.includes(word))
    })
    const parts = []
    let section = null
    for (const [entry, place] of shown) {
      if (entry.section !== section) {
        section = entry.section
        if (section) { parts.push(make("h3", {textContent: section})) }
        parts.push(make("ul", {}))
      }
      parts.at(-1).append(entry_row(entry, place))
    }
    box.hidden = all.length < 8 && !wanted.length
    if (!shown.length) {
      parts.push(make("p", {className: "muted", textContent: all.length ? "Nothing fits." : model.empty}))
    }
    if (kept && all.length) {
      const clear = make("button", {type: "button", textContent: "Remove all"})
      clear.addEventListener("click", () => {
        if (window.confirm(`Remove all ${all.length} from this browser?`)) { write(key, [], 0); update() }
      })
      parts.push(make("div", {className: "foot"}, clear))
    }
    list.replaceChildren(...parts)
  }

  box.addEventListener("input", update)
  model.on(["entries", "current"], update)
  model.on("msg:custom", ({keep}) => {
    if (!keep || keep.text.length > LONGEST_KEPT) { return }
    const same = (other) => model.kind === "saved" ? other.title === keep.title : other.text === keep.text
    const others = read(key).filter((other) => !same(other))
    write(key, [{...keep, time: Date.now()}, ...others], MOST_KEPT[model.kind])
    update()
  })
  // Another tab of this browser may keep something too.
  const follow = (event) => { if (event.key === key) { update() } }
  window.addEventListener("storage", follow)
  model.on("remove", () => window.removeEventListener("storage", follow))
  update()
  return root
}
