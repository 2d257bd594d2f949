// Lets the browser fetch a file from an address of this server. Shows nothing.
export function render({model}) {
  const link = document.createElement("a")
  link.hidden = true
  model.on("msg:custom", ({fetch: address}) => {
    if (address && /^\/?api\//.test(address)) {
      // Relative to the page: the server may stand below a prefix.
      link.href = new URL(address.replace(/^\//, ""), window.location.href).href
      link.download = ""
      link.click()
    }
  })
  return link
}
