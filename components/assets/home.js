// The first page. Built from the model's data alone; every text goes in as a text node, so markup
// in names and messages stays text. Only the tools' icons, which ship with the application, are
// inserted as SVG.

const SVG = "http://www.w3.org/2000/svg"

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value)
  }
  element.append(...children.filter((child) => child !== "" && child !== null))
  return element
}

function section(name, title, ...children) {
  const heading = make("h2", {id: `home-${name}`}, title)
  return make("section", {class: name, "aria-labelledby": heading.id}, heading, ...children)
}

// Under a prefix the page's path is <prefix>/; what was selected goes along to the tool.
function address_of(route, model) {
  const root = window.location.pathname.replace(/\/$/, "")
  const kept = window.location.search.slice(1).split("&")
    .filter((pair) => model.shared.includes(decodeURIComponent(pair.split("=")[0])))
  if (!kept.some((pair) => pair.startsWith("dataset="))) {
    kept.unshift(`dataset=${encodeURIComponent(model.dataset)}`)
  }
  return `${root}${route}?${kept.join("&")}`
}

function alarm(model) {
  const {title, remedy, lines} = model.alarm
  return make("section", {class: "alarm", role: "alert"},
    make("h2", {}, title),
    make("p", {}, remedy),
    make("ul", {}, ...lines.map((line) => make("li", {}, line))))
}

function figures(model) {
  return make("dl", {class: model.figures.length < 7 ? "figures few" : "figures", "aria-label": "What is loaded"},
    ...model.figures.map((figure) => make("div", {},
      make("dt", {}, figure.label),
      make("dd", {class: "value"}, figure.value),
      make("dd", {class: "note", title: figure.note}, figure.note))))
}

function picture(miniature) {
  const drawing = document.createElementNS(SVG, "svg")
  drawing.setAttribute("viewBox", "0 0 1 1")
  drawing.setAttribute("preserveAspectRatio", "none")
  drawing.setAttribute("aria-hidden", "true")
  for (const {colour, ...mark} of miniature.marks) {
    const shape = document.createElementNS(SVG, mark.d ? "path" : "rect")
    for (const [name, value] of Object.entries(mark)) {
      shape.setAttribute(name, value)
    }
    shape.setAttribute("fill", colour)
    drawing.append(shape)
  }
  const last = miniature.years.length - 1
  const years = make("div", {class: "years", "aria-hidden": "true"},
    ...miniature.years.map((year, place) => {
      // All years where there is room, else the first and the last.
      const end = place === 0 || place === last
      return make("span", last > 7 && !end ? {class: "spare"} : {}, last > 7 && !end ? "" : year)
    }))
  return make("figure", {}, drawing, miniature.years.length ? years : "", make("figcaption", {}, miniature.caption))
}

function card(tool, model) {
  const name = make("h3", {})
  const sign = make("span", {class: "icon", "aria-hidden": "true"})
  sign.innerHTML = tool.icon
  name.append(sign, tool.name)
  const words = make("div", {class: "words"}, name, make("p", {}, tool.description))
  if (tool.miniature.groups) {
    words.append(make("ul", {class: "groups"}, ...tool.miniature.groups.map(({label, colour}) => {
      const swatch = make("span", {class: "swatch", "aria-hidden": "true"})
      swatch.style.background = colour
      return make("li", {}, swatch, label)
    })))
  }
  const link = make("a", {})
  if (tool.miniature.marks) {
    link.append(picture(tool.miniature))
  } else {
    const large = make("div", {class: "large", "aria-hidden": "true"})
    large.innerHTML = tool.icon
    link.append(large)
  }
  link.append(words)
  const update = () => { link.href = address_of(tool.route, model) }
  // The address changes without an event, so the link is made when it is about to be used.
  for (const event of ["pointerenter", "pointerdown", "focus", "click"]) {
    link.addEventListener(event, update)
  }
  update()
  return make("li", {}, link)
}

function labelled(name, value, kind = "") {
  return make("span", {class: `cell ${kind}`},
    make("span", {class: "label"}, name), make("span", {class: "content"}, value))
}

function table(label, columns, rows) {
  const head = make("tr", {}, ...columns.map(([name, kind]) => (
    make("th", {scope: "col", class: kind}, name))))
  const body = rows.map((cells) => make("tr", {}, ...cells.map((cell, place) => (
    make("td", {class: columns[place][1]}, cell)))))
  return make("table", {"aria-label": label},
    make("thead", {}, head), make("tbody", {}, ...body))
}

function scenario(entry) {
  const name = make("span", {class: "cell name"}, make("strong", {}, entry.name))
  if (entry.is_base) {
    name.append(make("span", {class: "base", title: "The others are compared with it"}, "base"))
  }
  if (entry.description) {
    name.append(make("span", {class: "description"}, entry.description))
  }
  const summary = make("summary", {}, name,
    labelled("Model", entry.model),
    labelled("Format", entry.format),
    labelled("Rows", entry.rows, "number"),
    labelled("Imported, UTC", entry.imported),
    labelled("Warnings", entry.noticed, entry.warnings ? "some" : "few"))
  const files = table("Input files", [["File", ""], ["Size", "number"], ["SHA-256", "code"]],
    entry.files.map((file) => [
      file.name, file.size, make("span", {title: file.sha256}, file.sha256.slice(0, 12)),
    ]))
  return make("li", {}, make("details", {}, summary,
    make("div", {class: "inside"},
      make("h3", {}, "Made from"), files,
      entry.account.length ? make("h3", {}, "What became of the rows") : "",
      entry.account.length ? account(entry) : "",
      make("h3", {}, "What the import noticed"),
      ...entry.report.map(topic),
      entry.left ? make("p", {}, entry.left) : "")))
}

// A file and its content come as a line of their own on a narrow page, above the five counts.
function account(entry) {
  const fates = [["Read", "read"], ["Kept", "kept"], ["Merged", "merged"],
    ["In conflict", "conflicting"], ["Left out", "left_out"]]
  const counted = table("What became of the rows of each file",
    [["File", "file"], ["Rows of", "file"], ...fates.map(([name]) => [name, "number"])],
    entry.account.map((row) => [
      row.file, row.content,
      ...fates.map(([name, key]) => (
        make("span", {class: row[key] === "0" ? "none" : "", "data-label": name}, row[key]))),
    ]))
  counted.className = "account"
  return counted
}

function topic({topic, about, severity, lines}) {
  const name = make("summary", {class: severity},
    make("span", {class: "topic"}, topic),
    make("span", {class: "about"}, about),
    make("span", {class: "count"}, severity === "warning" ? "warning" : "",
      lines.length > 1 ? ` ${lines.length} lines` : ""))
  return make("details", {class: "topic"}, name,
    table(topic, [["Noticed", ""], ["Count", "number"]], lines.map((line) => [
      make("span", {}, line.message, line.where ? make("span", {class: "where"}, line.where) : ""),
      line.count,
    ])))
}

function scenarios(model) {
  const heads = [model.listed.replace(/s$/, ""), "Model", "Format", "Rows", "Imported, UTC", "Warnings"]
  return section("scenarios", model.listed,
    make("div", {class: "heads", "aria-hidden": "true"},
      ...heads.map((name) => make("span", name === "Rows" ? {class: "number"} : {}, name))),
    make("ul", {}, ...model.scenarios.map(scenario)))
}

function own_files(model) {
  const {commands, formats, tables} = model.own_files
  return section("own", "Load your own files",
    ...commands.map(({does, command}) => make("div", {class: "command"},
      make("p", {}, does), make("pre", {tabindex: "0"}, make("code", {}, command)))),
    make("p", {class: "muted"},
      "What is imported while the server runs is in the list of datasets when a page is loaded again."),
    make("h3", {}, "Formats"),
    make("dl", {class: "formats"}, ...formats.flatMap(({name, suffix, text}) => [
      make("dt", {}, name, " ", make("code", {}, suffix)), make("dd", {}, text),
    ])),
    make("h3", {}, "Tables beside VEDA files"),
    make("p", {class: "muted"},
      "VEDA files carry no units. CSV files of these names tell them, for the folder, or for one",
      " scenario as NAME.commodity_units.csv. Columns with a question mark may be left out."),
    make("dl", {class: "tables"}, ...tables.flatMap(({file, use, columns}) => [
      make("dt", {}, make("code", {}, file)),
      make("dd", {}, use, make("span", {class: "columns"}, columns)),
    ])))
}

export function render({model}) {
  const root = make("div", {class: "home"})
  const update = () => {
    const cards = model.cards.map((tool) => card(tool, model))
    root.replaceChildren(
      ...(model.alarm.title ? [alarm(model)] : []),
      figures(model),
      make("div", {class: "columns"},
        make("div", {class: "wide"},
          cards.length ? section("tools", "Tools", make("ul", {}, ...cards)) : "",
          scenarios(model)),
        own_files(model)))
  }
  model.on(["alarm", "figures", "cards", "scenarios", "own_files", "shared", "dataset"], update)
  update()
  return root
}
