/**
 * The walk: fourteen steps through the network with one image and one text. Each is a state of the page and a paragraph.
 *
 * What a step claims is measured in spec/web/walk/steps.spec.ts, under the same title.
 */
import type { Route } from "../state/route.ts";

export interface Step {
  readonly title: string;
  readonly text: string;
  /** What differs from the page's first state. */
  readonly route: Partial<Route>;
  /** Selects the part of the view that the step is about. */
  readonly target: string;
}

const image = "s:three-brown-stars";
const text = "three brown stars";
const counts = ["one brown star", "two brown stars", "three brown stars", "four brown stars"];

/** Of the class token and the patch in a row and a column, counted from 1. */
const patch = (row: number, column: number): number => (row - 1) * 6 + column;

export const steps: readonly Step[] = [
  {
    title: "An image becomes 36 patches",
    text: "The image is resized to 84 × 84 pixels and cut into 6 × 6 patches of 14 × 14. One convolution turns each patch into a vector of 96 numbers. A class token is put in front: 37 tokens enter the blocks.",
    route: { view: "pass" },
    target: '[data-card="image embed"]',
  },
  {
    title: "Filters respond to brightness and colour",
    text: "The convolution has 96 filters, each the size of a patch. Gray ones respond to brightness: stripes and checks. Others respond to colour alone. Training has made them from random numbers.",
    route: { view: "weights", weight: "visual.conv1.weight" },
    target: ".weights-part:nth-child(1)",
  },
  {
    title: "Position embeddings form a grid",
    text: "Attention gives the same result for any order of tokens, so a learned vector is added for each position. The cosine of two vectors is above 0.4 on average in one row or column, and near 0 elsewhere.",
    route: { view: "weights", token: patch(3, 3) },
    target: ".weights-part:nth-child(2)",
  },
  {
    title: "Blocks add to a stream",
    text: "Each of the four blocks reads the stream of 37 vectors and adds to it: first the output of attention, then that of an MLP. The mean norm grows with every block.",
    route: { view: "stream", state: 4, token: patch(5, 6) },
    target: ".stream-map:nth-child(1)",
  },
  {
    title: "The MLP adds more than attention",
    text: "In every block the MLP adds longer vectors than attention. Attention moves information between tokens; the MLP works on each token alone.",
    route: { view: "stream", state: 2, token: 0 },
    target: ".block-steps",
  },
  {
    title: "Heads attend to different patches",
    text: "A block has four heads. The entropy of a head says how widely it attends; 0 bits is a single token. In the last block head 2 has the lowest: the class token gives more than half of its attention to one patch of the lower right star.",
    route: { view: "attention", layer: 3, head: 2 },
    target: ".stage",
  },
  {
    title: "Some heads attend to the background",
    text: "Head 0 of the same block spreads the class token’s attention over many patches, most of them background. The last step returns to this head.",
    route: { view: "attention", layer: 3, head: 0 },
    target: ".stage",
  },
  {
    title: "Patches of stars are alike",
    text: "After three blocks, the vector of a patch on one star has a cosine above 0.7 with patches on the other two, and a negative one with the background above. Training used captions of whole images, not labels of patches.",
    route: { view: "stream", state: 3, token: patch(3, 3) },
    target: ".stream-map.similar",
  },
  {
    title: "A text becomes tokens",
    text: "The tokenizer cuts “three brown stars” into three pieces between two marks. The text tower, two layers of XLM-RoBERTa, turns them into five vectors; their mean, projected, is the text’s embedding.",
    route: { view: "text", token: 1 },
    target: ".token-rows",
  },
  {
    title: "The number has the largest share",
    text: "The pooled vector is the mean of the tokens, so each token has a share in it. “three” has the largest.",
    route: { view: "text", token: 1, state: 2 },
    target: ".text-map:nth-child(2)",
  },
  {
    title: "Languages share one embedding",
    text: "“drei braune Sterne” has other pieces and nearly the same embedding: the cosine of the two texts is above 0.99. After the last layer, the token most similar to “three” is “drei”.",
    route: { view: "text", token: 1, state: 2, other: "drei braune Sterne" },
    target: ".text-map:nth-child(3)",
  },
  {
    title: "One number compares image and text",
    text: "Both embeddings have length 1. Their cosine times exp(logit_scale) is the logit; a softmax over several texts turns logits into probabilities. This is zero-shot classification.",
    route: { view: "match", score: "labels" },
    target: ".match-results",
  },
  {
    title: "The count appears in the last block",
    text: "These four labels differ only in their number. Read out after each block, “two” leads until the last one; block 3 turns the answer to “three”. A raw lens does not show what the network uses, so the next step intervenes.",
    route: { view: "lens", labels: counts, label: counts[2]! },
    target: ".lens-chart",
  },
  {
    title: "Where the model counts to three",
    text: "Without head 0 of layer 3, the head that attends to the background, the model answers “two brown stars”. Without any other head of this block, and with all of them, it answers “three brown stars”.",
    route: {
      view: "intervene",
      labels: counts,
      label: counts[2]!,
      layer: 3,
      head: 0,
      part: "head",
      by: "zero",
    },
    target: ".intervene-view .effect",
  },
].map((step) => ({ ...step, route: { image, text, ...step.route } }) as Step);
