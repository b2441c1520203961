// The contrast ratio (WCAG 2.2, section 1.4.3) of one text of each sort.
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const octets = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data]; };
const light = (colour) => octets(colour).slice(0, 3).map((octet) => octet / 255)
  .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
const behind = (one) => { for (; one; one = one.parentElement) { const colour = getComputedStyle(one).backgroundColor;
  if (octets(colour)[3] === 255) return colour; } return "white"; };
const found = {};
for (const selector of [".tile .what", ".tile .count", ".badge.error", ".facet .count", ".cell.col-number", ".cell a", ".action",
    ".note", ".tagline", "#details dt", "#details a", ".button", ".sentence", ".legend li", ".status", "summary"]) {
  const one = document.querySelector(selector);
  const [ink, paper] = [light(getComputedStyle(one).color), light(behind(one))];
  found[selector] = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
}
return found;
