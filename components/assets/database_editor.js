// The SQL editor: Ace, which Panel ships and the page loads, made to know tables, columns, codes and
// functions. Where Ace is not there, a plain text field does the same without colours.

const KINDS = {table: 900, column: 800, parameter: 700, function: 500, word: 300}
const WORDS = ("select from where group by order limit having join left right full inner outer cross"
  + " on using as with recursive union all except intersect distinct case when then else end and or"
  + " not in is null like ilike between exists over partition rows range qualify pivot unpivot"
  + " filter asc desc nulls first last values lateral semi anti asof sample true false cast try_cast"
  + " explain describe summarize offset exclude replace columns unnest interval").split(" ")

// Ace puts its list of completions at the end of the page, out of this component's style sheet.
const POPUP_STYLE = `
.ace_editor.ace_autocomplete { width: min(560px, 92vw); border: 1px solid var(--times-line);
  border-radius: 6px; background: var(--times-surface); color: var(--times-text);
  box-shadow: 0 4px 16px #0004; line-height: 1.5; }
.ace_editor.ace_autocomplete .ace_marker-layer .ace_active-line,
.ace_editor.ace_autocomplete .ace_marker-layer .ace_line-hover {
  background: var(--times-accent-soft); border-color: var(--times-accent); }
.ace_editor.ace_autocomplete .ace_completion-highlight { color: var(--times-accent); }
.ace_editor.ace_autocomplete .ace_completion-meta { color: var(--times-muted); opacity: 1; }
.ace_editor.ace_autocomplete .ace_cursor-layer { display: none; }
.ace_tooltip.ace_doc-tooltip, .ace_tooltip { max-width: 380px; white-space: pre-wrap;
  background: var(--times-surface); color: var(--times-text); border: 1px solid var(--times-line);
  border-radius: 6px; background-image: none; font: 13px/1.5 var(--times-font); }`

function style_popup() {
  if (document.getElementById("times-sql-popup")) { return }
  const style = document.createElement("style")
  style.id = "times-sql-popup"
  style.textContent = POPUP_STYLE
  document.head.append(style)
}

// What is completed here and now; codes are asked of Python, which has them all.
class Completer {
  constructor(editor_of) {
    this.editor_of = editor_of
    this.identifierRegexps = [/[\w$.\-]/]
    this.waiting = new Map()
    this.last = 0
  }

  getCompletions(ace_editor, session, position, prefix, done) {
    const editor = this.editor_of()
    const before = session.getLine(position.row).slice(0, position.column)
    const quoted = (before.match(/'/g) || []).length % 2 === 1
    const own = quoted ? [] : this.known(editor.model.words, before)
    this.last += 1
    // An answer to what was written before would take the place of that to what is written now.
    this.waiting.clear()
    const asked = (before.match(/[\p{L}\p{N}_ .\-]*$/u) || [""])[0].trimStart()
    const word = quoted ? before.slice(before.lastIndexOf("'") + 1) : prefix.replace(/^\$/, "")
    // What comes is narrowed down by Ace as more is written, so it has to be asked well.
    if (word.length < 3) { done(null, own); return }
    // Ace looks for what is written in the caption: the description has to stand there.
    this.waiting.set(this.last, (found) => done(null, own.concat(found.map((entry) => ({
      caption: `${entry.name}  ${entry.description}`.trim().slice(0, 90),
      value: quoted ? entry.bare : entry.code, meta: entry.where, score: 400,
      docText: entry.description || undefined,
    })))))
    editor.send({complete: {id: this.last, text: (quoted ? word : asked.split(" ").at(-1)), before}})
    // Without an answer, what is known here is shown all the same.
    const id = this.last
    window.setTimeout(() => this.answer(id, []), 8000)
  }

  answer(id, found) {
    const take = this.waiting.get(id)
    this.waiting.delete(id)
    if (take) { take(found) }
  }

  known({tables, functions, parameters}, before) {
    const entry = (value, meta, kind, docText) => (
      {caption: value, value, meta, score: KINDS[kind], docText: docText || undefined})
    const qualified = before.match(/([A-Za-z_]\w*)\.[\w]*$/)
    const text = this.editor_of().text.toLowerCase()
    const used = tables.filter((table) => new RegExp(`\\b(?:from|join)\\s+${table.name}\\b`).test(text))
    if (qualified) {
      const name = qualified[1].toLowerCase()
      const alias = text.match(new RegExp(`\\b([a-z_]\\w*)\\s+(?:as\\s+)?${name}\\b`))
      const meant = tables.filter((t) => t.name === name || (alias && t.name === alias[1]))
      return (meant.length ? meant : used).flatMap((table) => table.columns.map(
        (column) => entry(column.name, table.name, "column", column.description)))
    }
    const columns = new Map()
    for (const table of used.length ? used : tables) {
      for (const column of table.columns) {
        const known = columns.get(column.name)
        if (known) { known.meta = "column" } else {
          columns.set(column.name, entry(column.name, table.name, "column", column.description))
        }
      }
    }
    return [
      ...tables.map((table) => entry(table.name, "table", "table", table.one_row)),
      ...columns.values(),
      ...functions.map(([name, call, what]) => (
        {...entry(name, "function", "function", `${call}\n\n${what}`), snippet: `${name}($1)`})),
      ...parameters.map((name) => entry(`$${name}`, "parameter", "parameter")),
      ...WORDS.map((word) => entry(word.toUpperCase(), "", "word")),
    ]
  }
}

// What both kinds of editor have in common.
class Editor {
  constructor(model) {
    this.model = model
    this.sheet = model.shown.sheet
    this.told = model.shown.text
    this.root = document.createElement("div")
    this.root.className = "editor"
  }

  send(message) { this.model.send_msg({sheet: this.model.shown.sheet, ...message}) }

  // Python learns of the text when the writer pauses, and with every act.
  changed() {
    window.clearTimeout(this.timer)
    this.timer = window.setTimeout(() => this.tell({}), 250)
  }

  tell(message) {
    window.clearTimeout(this.timer)
    if (this.text.length > this.model.longest) {
      this.send({too_long: this.text.length})
      return
    }
    this.told = this.text
    this.send({text: this.told, ...message})
  }

  // Python says what it was told: what was written meanwhile stays.
  load({sheet, text}) {
    const is_echo = sheet === this.sheet && text === this.told
    this.sheet = sheet
    this.told = text
    if (!is_echo && text !== this.text) {
      this.put(text)
      window.clearTimeout(this.timer)
    }
  }

  run(all) { this.tell({run: all ? "all" : "statement", place: this.place}) }
}

class AceEditor extends Editor {
  constructor(model) {
    super(model)
    this.holder = document.createElement("div")
    this.root.append(this.holder)
    const ace = window.ace
    const script = [...document.scripts].find((found) => /\/ace\.js/.test(found.src))
    if (script) { ace.config.set("basePath", script.src.replace(/\/ace\.js.*$/, "")) }
    style_popup()
    this.completer = new Completer(() => this)
    this.ace = ace.edit(this.holder, {
      mode: "ace/mode/sql", value: model.shown.text, useWorker: false, minLines: 6, maxLines: 14,
      tabSize: 4, useSoftTabs: true, showPrintMargin: false, fontSize: 13,
      enableBasicAutocompletion: [this.completer], enableLiveAutocompletion: [this.completer],
      // Tab moves on, as everywhere else, until Enter is pressed in the editor; Escape leaves it.
      enableKeyboardAccessibility: true, textInputAriaLabel: "SQL", wrap: true,
      highlightActiveLine: false, scrollPastEnd: 0, dragEnabled: false,
    })
    this.ace.session.on("change", () => this.changed())
    const command = (name, keys, exec) => this.ace.commands.addCommand({
      name, bindKey: {win: keys, mac: keys.replaceAll("Ctrl", "Command")}, exec})
    command("run_all", "Ctrl-Enter", () => this.run(true))
    command("run_statement", "Ctrl-Shift-Enter", () => this.run(false))
    command("layout", "Ctrl-Shift-F", () => this.tell({act: "format"}))
    command("save", "Ctrl-S", () => this.tell({act: "save"}))
    command("plan", "Ctrl-Shift-E", () => this.tell({act: "explain"}))
    // "Open a new tab" of the browser cannot be had; this can.
    command("new_sheet", "Ctrl-Alt-T", () => this.tell({act: "new"}))
  }

  attach() {
    this.ace.renderer.attachToShadowRoot()
    this.ace.resize(true)
    this.annotate()
  }

  get text() { return this.ace.getValue() }

  get place() { return this.ace.session.doc.positionToIndex(this.ace.getCursorPosition()) }

  put(text) {
    this.ace.session.setValue(text)
    this.ace.clearSelection()
  }

  annotate() {
    const marks = this.model.annotations
    this.ace.session.setAnnotations(marks.map(({row, column, text, type}) => ({row, column, text, type})))
    for (const id of this.markers || []) { this.ace.session.removeMarker(id) }
    const {Range} = window.ace.require("ace/range")
    this.markers = marks.map(({row, column}) => {
      const line = this.ace.session.getLine(row) || ""
      const word = (line.slice(column).match(/^[\w$]+|^./) || [" "])[0]
      return this.ace.session.addMarker(
        new Range(row, column, row, column + word.length), "wrong", "text")
    })
  }

  insert(text) {
    const position = this.ace.getCursorPosition()
    const before = this.ace.session.getLine(position.row).slice(0, position.column)
    const gap = /[\w'")$]$/.test(before) ? " " : ""
    this.ace.session.replace(this.ace.getSelectionRange(), gap + text)
    this.ace.clearSelection()
    this.ace.focus()
  }

  show(row, column) {
    this.ace.gotoLine(row + 1, column, true)
    this.ace.focus()
  }

  remove() { this.ace.destroy() }
}

class PlainEditor extends Editor {
  constructor(model) {
    super(model)
    this.area = document.createElement("textarea")
    this.area.value = model.shown.text
    this.area.rows = 10
    this.area.spellcheck = false
    this.area.setAttribute("aria-label", "SQL")
    this.root.append(this.area)
    this.area.addEventListener("input", () => this.changed())
    this.area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault()
        this.run(!event.shiftKey)
      }
    })
  }

  attach() {}

  get text() { return this.area.value }

  get place() { return this.area.selectionStart }

  put(text) { this.area.value = text }

  annotate() {}

  insert(text) {
    this.area.setRangeText(text, this.area.selectionStart, this.area.selectionEnd, "end")
    this.changed()
    this.area.focus()
  }

  show() { this.area.focus() }

  remove() {}
}

export function render({model}) {
  const editor = window.ace ? new AceEditor(model) : new PlainEditor(model)
  model.on("after_render", () => editor.attach())
  model.on("shown", () => editor.load(model.shown))
  model.on("annotations", () => editor.annotate())
  model.on("msg:custom", ({insert, completions, tell, show}) => {
    if (insert !== undefined) { editor.insert(insert) }
    if (completions) { editor.completer?.answer(completions.id, completions.found) }
    if (tell) { editor.tell({...tell, place: editor.place}) }
    if (show) { editor.show(show.row, show.column) }
  })
  model.on("remove", () => editor.remove())
  return editor.root
}
