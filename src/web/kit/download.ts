/** Hands the browser a file to save. */
export const download = (name: string, content: Blob): void => {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
};

/** Draws an SVG of the page on a canvas of twice its size, over the page's own background. */
export const pictureOf = async (svg: SVGSVGElement): Promise<Blob> => {
  const { width, height } = svg.getBoundingClientRect();
  const copy = svg.cloneNode(true) as SVGSVGElement; // a clone is of the same kind
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const source = URL.createObjectURL(
    new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }),
  );
  try {
    const image = new Image(width, height);
    await new Promise((resolve, reject) => {
      image.addEventListener("load", resolve, { once: true });
      image.addEventListener("error", () => reject(new Error("the picture could not be drawn")), { once: true });
      image.src = source;
    });
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width * 2, height * 2];
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("this browser cannot draw pictures");
    context.fillStyle = getComputedStyle(document.body).backgroundColor;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) =>
      canvas.toBlob((blob) => (blob === null ? reject(new Error("the picture could not be made")) : resolve(blob))),
    );
  } finally {
    URL.revokeObjectURL(source);
  }
};
