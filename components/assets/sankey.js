// The Sankey. Every text is set through textContent, so markup in data stays text. What it draws
// is described in components/sankey/view.py; shapes, labels and export are in files of their own.

const SVG = "http://www.w3.org/2000/svg"
const DURATION = 350
const MOST_ANIMATED = 800
const STEADY = window.matchMedia("(prefers-reduced-motion: reduce)")

function make(tag, attributes = {}, ...children) {
  const html = ["div", "p", "strong", "span"].includes(tag)
  const element = html ? document.createElement(tag) : document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value)
  }
  element.append(...children)
  return element
}

const set = (element, attributes) => {
  for (const [name, value] of Object.entries(attributes)) { element.setAttribute(name, value) }
}

// Links by the nodes that they come from, and by those they lead to.
function by_ends(links) {
  const found = {source: new Map(), target: new Map()}
  for (const link of links) {
    for (const [end, by_node] of Object.entries(found)) {
      by_node.set(link[end], [...(by_node.get(link[end]) || []), link])
    }
  }
  return found
}

class Drawing {
  constructor(model) {
    this.model = model
    this.shown = {nodes: new Map(), links: new Map()}
    this.marks = {nodes: new Map(), links: new Map(), joins: new Map()}
    this.moved = new Map()
    this.current = ""
    this.measure = null
    this.svg = make("svg", {role: "group", "aria-roledescription": "Sankey", class: "drawing"})
    this.layers = {links: make("g"), joins: make("g"), nodes: make("g")}
    this.svg.append(this.layers.links, this.layers.joins, this.layers.nodes)
    this.note = make("div", {class: "note", role: "status"})
    this.note.hidden = true
    this.scroll = make("div", {class: "scroll"}, this.svg)
    this.root = make("div", {class: "sankey"}, this.scroll, this.note)
    this.listen()
  }

  // ------------------------------------------------------------------ pictures

  // Draw the model's picture; what was there before moves to where it is now.
  update() {
    const picture = this.model.picture
    this.picture = {nodes: [], links: [], joins: [], width: 1, height: 1, ...picture}
    this.measure ??= make_ruler(getComputedStyle(this.svg).fontFamily)
    const {nodes, links, joins, width, height, title} = this.picture
    set(this.svg, {viewBox: `0 0 ${width} ${height}`, "aria-label": title || "Sankey"})
    this.from = {
      nodes: new Map([...this.shown.nodes].map(([id, node]) => [id, this.dragged(node)])),
      links: new Map([...this.shown.links].map(([id, link]) => [id, this.bent(link)])),
    }
    this.moved.clear()
    this.to = {
      nodes: new Map(nodes.map((node) => [node.id, node])),
      links: new Map(links.map((link) => [link.id, link])),
      joins: new Map(joins.map((join) => [join.id, join])),
    }
    this.links_at = by_ends(links)
    this.joins_at = by_ends(joins)
    this.labels = place_labels(this.picture, this.measure)
    this.hide_note()
    this.fit()
    const held = this.held()
    const fresh = {nodes: this.join("nodes"), links: this.join("links"), joins: this.join("joins")}
    for (const id of fresh.nodes) {
      // A member comes out of the node that was opened.
      const parent = this.from.nodes.get(this.to.nodes.get(id).parent)
      if (parent) { this.from.nodes.set(id, {...parent, fill: 0, base: null}) }
    }
    for (const node of nodes) { this.word(node) }
    this.set_current(this.current)
    this.hold(held)
    this.animate(fresh)
    // What was chosen in a list stays lit where the picture is only laid out anew.
    if (this.chosen) { this.light(this.chosen) }
  }

  // The mark that the keyboard is on: one that is moved within the drawing loses it.
  held() {
    const mark = this.svg.getRootNode().activeElement?.closest("[data-id]:focus-visible")
    return mark && this.svg.contains(mark) ? {...mark.dataset} : null
  }

  // Stay on a mark; where it has been opened go to its first member, and from a member that was
  // closed to what it is part of.
  hold(mark) {
    if (!mark) { return }
    const parent = this.shown.nodes.get(mark.id)?.parent
    const id = [mark.id, this.in_order().find((node) => node.parent === mark.id)?.id, parent]
      .find((id) => this.to[mark.kind].has(id))
    if (id !== undefined) { this.go({kind: mark.kind, id}) }
  }

  // One mark for each node or link of the picture; what is new is returned, what is gone fades.
  join(kind) {
    const marks = this.marks[kind]
    const fresh = []
    for (const [id, mark] of marks) {
      if (!this.to[kind].has(id)) {
        marks.delete(id)
        mark.group.classList.add("gone")
        mark.group.removeAttribute("data-id")
        mark.group.setAttribute("aria-hidden", "true")
        mark.group.setAttribute("tabindex", "-1")
        this.leaving = [...(this.leaving || []), mark.group]
      }
    }
    for (const id of this.to[kind].keys()) {
      if (!marks.has(id)) {
        marks.set(id, this[{nodes: "make_node", links: "make_link", joins: "make_join"}[kind]](id))
        fresh.push(id)
      }
    }
    // Painted in the order of the picture.
    this.layers[kind].append(...[...this.to[kind].keys()].map((id) => marks.get(id).group))
    return fresh
  }

  make_node(id) {
    const mark = {
      hit: make("rect", {class: "hit"}), box: make("rect", {class: "box", rx: 1.5}),
      base: make("rect", {class: "base", rx: 1.5}),
      names: Array.from({length: MOST_LINES}, () => make("tspan", {class: "name"})),
      amount: make("tspan", {class: "amount"}), second: make("tspan", {class: "amount"}),
    }
    mark.text = make("text", {}, ...mark.names, mark.amount, mark.second)
    mark.group = make("g", {class: "node", role: "button", "data-id": id, "data-kind": "nodes"},
      mark.hit, mark.box, mark.base, mark.text)
    return mark
  }

  make_link(id) {
    const mark = {
      band: make("path", {class: "band"}), more: make("path", {class: "more"}),
      less: make("path", {class: "less"}), base: make("path", {class: "base"}),
      arrow: make("path", {class: "arrow"}), hit: make("path", {class: "hit"}),
    }
    mark.group = make("g",
      {class: "link", role: "button", "data-id": id, "data-kind": "links", tabindex: -1},
      mark.hit, mark.band, mark.less, mark.more, mark.base, mark.arrow)
    return mark
  }

  // That energy ends in a demand: no link, for no number passes. Its demand tells of it.
  make_join() {
    const path = make("path", {class: "dashes"})
    return {path, group: make("g", {class: "join", "aria-hidden": "true"}, path)}
  }

  // Texts and colours, which do not move.
  word(node) {
    const mark = this.marks.nodes.get(node.id)
    const label = this.labels.get(node.id)
    mark.group.classList.toggle("service", node.service)
    set(mark.box, {rx: node.service ? 5 : 1.5})
    mark.box.style.fill = node.service ? "" : node.colour
    mark.box.style.stroke = node.service ? node.colour : ""
    mark.base.style.display = node.base === null ? "none" : ""
    mark.group.classList.toggle("opens", node.opens)
    mark.group.setAttribute("aria-label",
      [node.label, node.amount, node.second, node.share, ...(node.service ? node.lines : [])]
        .filter(Boolean).join(", "))
    mark.text.style.display = label ? "" : "none"
    for (const [place, line] of mark.names.entries()) { line.textContent = label?.names[place] || "" }
    mark.amount.textContent = label?.amount || ""
    mark.second.textContent = label?.second || ""
  }

  // ------------------------------------------------------------------ drawing

  animate(fresh) {
    window.cancelAnimationFrame(this.frame)
    const count = this.to.links.size + this.to.nodes.size
    const moves = this.from.nodes.size > 0 && !STEADY.matches && count <= MOST_ANIMATED
    const begin = performance.now()
    const new_marks = [...fresh.nodes.map((id) => this.marks.nodes.get(id)),
      ...fresh.links.map((id) => this.marks.links.get(id)),
      ...fresh.joins.map((id) => this.marks.joins.get(id))].map((mark) => mark.group)
    const step = (now) => {
      const way = moves ? Math.min(1, Math.max(0, (now - begin) / DURATION)) : 1
      const part = 1 - (1 - way) ** 3
      this.draw(part)
      for (const group of new_marks) { group.style.opacity = way < 1 ? part : "" }
      for (const group of this.leaving || []) { group.style.opacity = 1 - part }
      if (way < 1) {
        this.frame = window.requestAnimationFrame(step)
      } else {
        for (const group of this.leaving || []) { group.remove() }
        this.leaving = []
        this.root.dataset.state = "still"
      }
    }
    this.root.dataset.state = "moving"
    step(begin)
  }

  draw(part) {
    for (const [id, node] of this.to.nodes) {
      const now = node_between(this.from.nodes.get(id), node, part)
      this.shown.nodes.set(id, now)
      this.draw_node(this.dragged(now))
    }
    for (const [id, link] of this.to.links) {
      const now = link_between(this.from.links.get(id), link, part)
      this.shown.links.set(id, now)
      this.draw_link(this.bent(now))
    }
    for (const id of this.to.joins.keys()) { this.draw_join(id) }
    for (const kind of ["nodes", "links"]) {
      for (const id of this.shown[kind].keys()) {
        if (!this.to[kind].has(id)) { this.shown[kind].delete(id) }
      }
    }
  }

  draw_node(node) {
    const mark = this.marks.nodes.get(node.id)
    const [wide, tall] = [node.x1 - node.x0, node.y1 - node.y0]
    mark.group.setAttribute("transform", `translate(${round(node.x0)},${round(node.y0)})`)
    // A thin node can still be seen, and hit.
    set(mark.box, {width: round(wide), height: round(Math.max(node.fill, node.base > 0 ? 0 : 1))})
    if (node.base !== null) {
      set(mark.base, {width: round(wide), height: round(Math.max(node.base, 0))})
    }
    set(mark.hit, {x: -4, y: Math.min(0, tall / 2 - 6), width: round(wide + 8), height: Math.max(round(tall), 12)})
    const label = this.labels.get(node.id)
    if (!label) { return }
    // A box on its way to another size takes its words along.
    const x = round(label.side === "right" ? wide + BESIDE : label.x)
    const y = round(label.y - (label.lines - 1) * LINE_HEIGHT / 2 + 4.5)
    mark.text.setAttribute("text-anchor", label.side === "left" ? "end" : "start")
    set(mark.names[0], {x, y})
    if (label.lines === 1) {
      for (const name of ["x", "y"]) { mark.amount.removeAttribute(name) }
      mark.amount.setAttribute("dx", AMOUNT_SPACE)
      return
    }
    const below = (line, place) => set(line, {x, y: round(y + place * LINE_HEIGHT), dx: 0})
    const names = label.names.length
    for (let place = 1; place < names; place++) { below(mark.names[place], place) }
    below(mark.amount, names)
    below(mark.second, names + 1)
  }

  // From where the words beside a node end to what it serves.
  draw_join(id) {
    const {source, target} = this.to.joins.get(id)
    const [from, to] = [source, target].map((end) => this.dragged(this.shown.nodes.get(end)))
    const label = this.labels.get(source)
    const words = label?.side === "right" ? BESIDE + label.wide + 4 : 2
    const height = label?.side === "right" ? from.y0 + label.y : (from.y0 + from.y1) / 2
    const start = [Math.min(from.x1 + words, to.x0 - 12), height]
    const path = this.marks.joins.get(id).path
    path.setAttribute("d", curve(start, [to.x0 - 1, (to.y0 + to.y1) / 2]))
  }

  draw_link(link) {
    const mark = this.marks.links.get(link.id)
    const {fill, base} = link
    const common = base === null ? fill : Math.min(fill, base)
    mark.band.style.fill = link.colour
    mark.arrow.style.fill = link.colour
    // Hair lines are drawn by their outline.
    mark.band.style.stroke = fill < 1 ? link.colour : ""
    const show = (path, from, to) => {
      path.style.display = to - from > 0.05 ? "" : "none"
      if (to - from > 0.05) { path.setAttribute("d", band(link, from, to)) }
    }
    mark.band.setAttribute("d", band(link, 0, common))
    show(mark.more, base ?? fill, fill)
    show(mark.less, fill, base ?? fill)
    show(mark.base, 0, base ?? 0)
    // A thin link can still be hit.
    mark.hit.style.display = link.width < 5 ? "" : "none"
    if (link.width < 5) { mark.hit.setAttribute("d", band(link, -3, link.width + 3)) }
    mark.arrow.style.display = link.detour ? "" : "none"
    if (link.detour) { mark.arrow.setAttribute("d", arrow(link)) }
    mark.group.setAttribute("aria-label",
      [link.label, link.amount, link.share].filter(Boolean).join(", "))
  }

  // A node where it was dragged to, and a link to where its nodes are.
  dragged(node) {
    const by = this.moved.get(node.id) || 0
    return by ? {...node, y0: node.y0 + by, y1: node.y1 + by} : node
  }

  bent(link) {
    const [first, last] = [this.moved.get(link.source) || 0, this.moved.get(link.target) || 0]
    if (!first && !last) { return link }
    const end = link.points.length - 1
    const points = link.points.map(([x, y], i) => [x, y + (i === 0 ? first : i === end ? last : 0)])
    const own = link.source === link.target
    return {...link, points, detour: link.detour && {...link.detour, y: link.detour.y + (own ? first : 0)}}
  }

  // ------------------------------------------------------------------ size

  fit(wide = this.scroll.clientWidth) {
    if (!this.picture || !wide) { return }
    const {width, height} = this.picture
    const factor = Math.abs(wide - width) < 3 ? 1 : Math.max(0.85, Math.min(1.3, wide / width))
    this.svg.style.width = `${round(width * factor)}px`
    this.svg.style.height = `${round(height * factor)}px`
    this.factor = factor
  }

  resized(wide) {
    this.fit(wide)
    if (!wide || wide === this.told) { return }
    const tell = () => {
      this.told = wide
      this.model.send_msg({width: wide})
    }
    window.clearTimeout(this.timer)
    // At first at once, but not before Bokeh listens; later not for every step of a resize.
    this.timer = window.setTimeout(tell, this.told === undefined ? 0 : 150)
  }
}
