// The drawing as a file of its own: what style sheets say is written into each element, so that
// the colours are those of the theme it was drawn in.

const WRITTEN = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-opacity",
  "stroke-linejoin", "opacity", "font-family", "font-size", "font-weight", "font-style", "text-anchor",
  "paint-order", "font-variant-numeric",
]
const KEPT = new Set([
  "d", "x", "y", "dy", "width", "height", "transform", "viewBox", "xmlns", "rx",
])

function standalone(drawing, background) {
  const copy = drawing.cloneNode(true)
  const shown = [drawing, ...drawing.querySelectorAll("*")]
  const handles = []
  for (const [place, element] of [copy, ...copy.querySelectorAll("*")].entries()) {
    const style = getComputedStyle(shown[place])
    if (shown[place].classList.contains("hit")) { handles.push(element) }
    for (const {name} of [...element.attributes]) {
      if (!KEPT.has(name)) { element.removeAttribute(name) }
    }
    for (const name of element.tagName === "title" ? [] : WRITTEN) {
      const value = style.getPropertyValue(name)
      if (value) { element.setAttribute(name, value) }
    }
  }
  for (const handle of handles) { handle.remove() }
  const {width, height} = drawing.viewBox.baseVal
  copy.setAttribute("width", width)
  copy.setAttribute("height", height)
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect")
  ground.setAttribute("width", width)
  ground.setAttribute("height", height)
  ground.setAttribute("fill", background)
  copy.prepend(ground)
  return new XMLSerializer().serializeToString(copy)
}

function offer(blob, name) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

// Twice the pixels: for paper and for sharp screens.
function as_png(text, width, height) {
  return new Promise((done, failed) => {
    const image = new Image()
    image.onload = () => {
      const canvas = document.createElement("canvas")
      canvas.width = 2 * width
      canvas.height = 2 * height
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height)
      canvas.toBlob(done, "image/png")
    }
    image.onerror = () => failed(new Error("The browser could not draw the picture"))
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`
  })
}

async function download(drawing, background, kind, name) {
  const text = standalone(drawing, background)
  const {width, height} = drawing.viewBox.baseVal
  const blob = kind === "png"
    ? await as_png(text, width, height)
    : new Blob([text], {type: "image/svg+xml"})
  offer(blob, `${name}.${kind}`)
}
