// What a reader does with the Sankey: hover, click, drag, and all of it by keyboard.

Object.assign(Drawing.prototype, {
  listen() {
    const {svg} = this
    svg.addEventListener("pointerover", (event) => this.point_at(this.mark_at(event), event))
    svg.addEventListener("pointermove", (event) => this.move_note(event))
    svg.addEventListener("pointerleave", () => this.point_at(null))
    svg.addEventListener("focusin", (event) => this.point_at(this.mark_at(event)))
    svg.addEventListener("focusout", () => this.point_at(null))
    svg.addEventListener("click", (event) => this.clicked(event))
    svg.addEventListener("dblclick", (event) => this.put_back(this.mark_at(event)))
    svg.addEventListener("contextmenu", (event) => {
      const mark = this.mark_at(event)
      if (mark?.kind === "nodes") {
        event.preventDefault()
        this.model.send_msg({focus: mark.id})
      }
    })
    svg.addEventListener("keydown", (event) => this.pressed(event))
    svg.addEventListener("pointerdown", (event) => this.grab(event))
  },

  mark_at(event) {
    const group = event.target.closest?.("[data-id]")
    return group ? {kind: group.dataset.kind, id: group.dataset.id, group} : null
  },

  // ------------------------------------------------------------------ paths

  point_at(mark, event = null) {
    if (this.dragging) { return }
    this.chosen = null
    const lit = mark ? this.path_of(mark) : null
    this.svg.classList.toggle("pointing", Boolean(lit))
    for (const kind of ["nodes", "links", "joins"]) {
      for (const [id, {group}] of this.marks[kind]) {
        group.classList.toggle("lit", Boolean(lit && lit[kind].has(id)))
      }
    }
    if (mark) { this.show_note(mark, event) } else { this.hide_note() }
  },

  // Light a link that was chosen elsewhere, and bring it into view.
  light(id) {
    const group = this.marks.links.get(id)?.group
    if (!group) { return }
    const box = group.querySelector(".band").getBoundingClientRect()
    const frame = this.scroll.getBoundingClientRect()
    if (box.right < frame.left || box.left > frame.right) {
      this.scroll.scrollLeft += (box.left + box.right - frame.left - frame.right) / 2
    }
    const motion = STEADY.matches ? "auto" : "smooth"
    this.root.scrollIntoView({block: "nearest", behavior: motion})
    this.point_at({kind: "links", id, group})
    this.chosen = id
  },

  // All that flows into a mark and all that flows on from it. Back links are lit where they touch
  // it, but not followed: in a system with storage everything would be lit.
  path_of({kind, id}) {
    const lit = {nodes: new Set(), links: new Set(), joins: new Set()}
    const link = kind === "links" ? this.to.links.get(id) : null
    if (link) { lit.links.add(id) }
    this.follow(link ? link.source : id, "target", "source", lit)
    this.follow(link ? link.target : id, "source", "target", lit)
    return lit
  },

  follow(start, near, far, lit) {
    const waiting = [start]
    const seen = new Set(waiting)
    while (waiting.length) {
      const here = waiting.pop()
      lit.nodes.add(here)
      for (const link of this.links_at[near].get(here) || []) {
        if (link.detour && here !== start) { continue }
        lit.links.add(link.id)
        if (link.detour) { lit.nodes.add(link[far]) }
        if (!link.detour && !seen.has(link[far])) {
          seen.add(link[far])
          waiting.push(link[far])
        }
      }
      for (const join of this.joins_at[near].get(here) || []) {
        lit.joins.add(join.id)
        if (!seen.has(join[far])) {
          seen.add(join[far])
          waiting.push(join[far])
        }
      }
    }
  },

  // ------------------------------------------------------------------ note

  show_note({kind, id, group}, event) {
    const item = this.to[kind].get(id)
    if (!item) { return }
    const line = (className, text) => {
      const paragraph = make("p", {class: className})
      paragraph.textContent = text
      return paragraph
    }
    const head = make("p", {class: "head"}, make("strong"), make("span", {class: "amount"}))
    head.firstChild.textContent = item.label
    head.lastChild.textContent = item.amount
    this.note.replaceChildren(head,
      ...(item.share ? [line("share", item.share)] : []),
      ...item.lines.map((text) => line("line", text)),
      ...(item.hint ? [line("hint", item.hint)] : []))
    this.note.hidden = false
    if (event) { this.move_note(event) } else { this.note_beside(group) }
  },

  hide_note() {
    this.note.hidden = true
  },

  move_note(event) {
    if (this.note.hidden) { return }
    const frame = this.root.getBoundingClientRect()
    this.place_note(event.clientX - frame.left + 14, event.clientY - frame.top + 14, 28)
  },

  note_beside(group) {
    const frame = this.root.getBoundingClientRect()
    const box = (group.querySelector(".box, .band") || group).getBoundingClientRect()
    this.place_note(box.right - frame.left + 10, box.top - frame.top + 4, box.width + 20)
  },

  // Within the figure: at the other side where it would stick out.
  place_note(x, y, aside) {
    const {offsetWidth: wide, offsetHeight: tall} = this.note
    const {clientWidth, clientHeight} = this.root
    const left = x + wide > clientWidth ? x - aside - wide : x
    this.note.style.left = `${Math.max(0, Math.min(left, clientWidth - wide))}px`
    this.note.style.top = `${Math.max(0, Math.min(y, clientHeight - tall))}px`
  },

  // ------------------------------------------------------------------ click and drag

  clicked(event) {
    const mark = this.mark_at(event)
    if (!mark || this.was_dragged) {
      this.was_dragged = false
      return
    }
    // The second click on a node that was dragged puts it back: wait whether there is one.
    window.clearTimeout(this.opening)
    if (event.detail > 1) { return }
    this.opening = window.setTimeout(() => this.open(mark), this.moved.has(mark.id) ? 300 : 0)
  },

  open({kind, id}) {
    this.model.send_msg(kind === "nodes" ? {open: id} : {link: id})
  },

  grab(event) {
    const mark = this.mark_at(event)
    this.was_dragged = false
    // A finger scrolls.
    if (mark?.kind !== "nodes" || event.button !== 0 || event.pointerType === "touch") { return }
    const start = event.clientY
    const before = this.moved.get(mark.id) || 0
    const move = (now) => {
      const by = (now.clientY - start) / (this.factor || 1)
      if (!this.dragging && Math.abs(by) < 4) { return }
      if (!this.dragging) { this.hide_note() }
      this.dragging = this.was_dragged = true
      this.drag(mark.id, before + by)
    }
    const stop = () => {
      this.dragging = false
      window.removeEventListener("pointermove", move)
      window.removeEventListener("pointerup", stop)
      window.removeEventListener("pointercancel", stop)
    }
    window.addEventListener("pointermove", move)
    window.addEventListener("pointerup", stop)
    window.addEventListener("pointercancel", stop)
  },

  drag(id, by) {
    const node = this.to.nodes.get(id)
    if (!node) { return }
    const inside = Math.max(-node.y0, Math.min(this.picture.height - node.y1, by))
    this.moved.set(id, inside)
    this.redraw(id)
  },

  // A node that was moved, and its links.
  redraw(id) {
    if (this.root.dataset.state === "moving") { return }
    this.draw_node(this.dragged(this.to.nodes.get(id)))
    for (const by_node of Object.values(this.links_at)) {
      for (const link of by_node.get(id) || []) { this.draw_link(this.bent(link)) }
    }
    for (const by_node of Object.values(this.joins_at)) {
      for (const join of by_node.get(id) || []) { this.draw_join(join.id) }
    }
  },

  // One node where the layout has it, or all if the ground was clicked.
  put_back(mark) {
    for (const id of mark ? [mark.id] : [...this.moved.keys()]) {
      if (this.moved.delete(id)) { this.redraw(id) }
    }
  },

  // ------------------------------------------------------------------ keyboard

  // The one node that Tab leads to.
  set_current(id) {
    const nodes = this.in_order()
    this.current = this.to.nodes.has(id) ? id : nodes[0]?.id || ""
    for (const [key, {group}] of this.marks.nodes) {
      group.setAttribute("tabindex", key === this.current ? 0 : -1)
    }
  },

  in_order() {
    return [...this.to.nodes.values()].sort((a, b) => a.x0 - b.x0 || a.y0 - b.y0)
  },

  pressed(event) {
    const mark = this.mark_at(event)
    if (!mark || event.altKey || event.ctrlKey || event.metaKey) { return }
    if (event.key === "Enter" || event.key === " ") {
      if (event.shiftKey && mark.kind === "nodes") {
        this.model.send_msg({focus: mark.id})
      } else {
        this.open(mark)
      }
    } else if (!this.go(mark.kind === "nodes"
      ? this.from_node(mark.id, event.key, event.shiftKey) : this.from_link(mark.id, event.key))) {
      return
    }
    event.preventDefault()
  },

  go(mark) {
    if (!mark) { return false }
    if (mark.kind === "nodes") { this.set_current(mark.id) }
    this.marks[mark.kind].get(mark.id).group.focus()
    return true
  },

  // Up and down within a layer, left and right to another; with shift, into the links.
  from_node(id, key, shift) {
    const nodes = this.in_order()
    const here = this.to.nodes.get(id)
    if (key === "Home" || key === "End") {
      return {kind: "nodes", id: nodes.at(key === "Home" ? 0 : -1).id}
    }
    const step = {ArrowUp: -1, ArrowDown: 1}[key]
    if (step) {
      const layer = nodes.filter((node) => node.layer === here.layer)
      const next = layer[layer.findIndex((node) => node.id === id) + step]
      return next && {kind: "nodes", id: next.id}
    }
    const aside = {ArrowLeft: -1, ArrowRight: 1}[key]
    if (!aside) { return null }
    if (shift) { return this.links_of(id, aside)[0] }
    const middle = (node) => (node.y0 + node.y1) / 2
    const layers = [...new Set(nodes.map((node) => node.layer))]
    const layer = layers[layers.indexOf(here.layer) + aside]
    const [next] = nodes.filter((node) => node.layer === layer).sort((a, b) =>
      Math.abs(middle(a) - middle(here)) - Math.abs(middle(b) - middle(here)))
    return next && {kind: "nodes", id: next.id}
  },

  from_link(id, key) {
    const link = this.to.links.get(id)
    const end = {ArrowLeft: link.source, ArrowRight: link.target}[key]
    if (end) { return {kind: "nodes", id: end} }
    const step = {ArrowUp: -1, ArrowDown: 1}[key]
    if (!step) { return null }
    // Beside the link are those of the node that the reader came from.
    const links = this.links_of(this.current, this.current === link.target ? -1 : 1)
    return links[links.findIndex((other) => other.id === id) + step]
  },

  // Links out of a node (1) or into it (-1), from the top.
  links_of(id, aside) {
    const [end, place] = aside > 0 ? ["source", 0] : ["target", -1]
    return [...this.links_at[end].get(id) || []]
      .sort((a, b) => a.points.at(place)[1] - b.points.at(place)[1])
      .map((link) => ({kind: "links", id: link.id}))
  },
})

export function render({model}) {
  const drawing = new Drawing(model)
  let drawn = false
  const show = () => {
    drawn = true
    drawing.update()
  }
  // Text can be measured only once the drawing is on the page.
  const observer = new ResizeObserver(() => {
    const wide = Math.round(drawing.scroll.clientWidth)
    if (!wide) { return }
    if (!drawn) { show() }
    drawing.resized(wide)
  })
  observer.observe(drawing.scroll)
  model.on("picture", () => { if (drawn) { show() } })
  model.on("msg:custom", (event) => {
    const {export: kind, name, light} = event.data ?? event
    if (light && drawn) { drawing.light(light) }
    if (kind && drawn) {
      const background = getComputedStyle(drawing.root).getPropertyValue("--times-surface").trim()
      download(drawing.svg, background || "#ffffff", kind, name)
    }
  })
  model.on("remove", () => {
    observer.disconnect()
    window.clearTimeout(drawing.timer)
    window.cancelAnimationFrame(drawing.frame)
  })
  return drawing.root
}
