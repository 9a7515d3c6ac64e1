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
    route: { view: "pass", tap: "visual.conv1" },
  },
  {
    title: "Filters look for edges and colours",
    text: "The convolution has 96 filters, each the size of a patch. Some are stripes, some are blobs of two colours. Training has found them; nobody drew them.",
    route: { view: "weights", weight: "visual.conv1.weight" },
  },
  {
    title: "Positions know rows and columns",
    text: "Attention has no order of its own, so each token gets a learned vector for its place. The vectors of one row or column are similar, those of other places hardly: the model has learned a grid.",
    route: { view: "weights", token: patch(3, 3) },
  },
  {
    title: "Blocks add to a stream",
    text: "Each of the four blocks reads the stream of 37 vectors and adds to it, first by attention, then by an MLP. Nothing is erased, and the vectors grow with every block.",
    route: { view: "stream", state: 4, token: patch(5, 6) },
  },
  {
    title: "The MLP adds more than attention",
    text: "In every block the MLP adds longer vectors than attention. Attention moves information between tokens; the MLP works on each token alone.",
    route: { view: "stream", state: 2, token: 0 },
  },
  {
    title: "Each head looks its own way",
    text: "A block has four heads. Entropy says how widely a head looks. In the last block, head 2 is the most focused one: the class token gives most of its attention to a single patch of the lower right star.",
    route: { view: "attention", layer: 3, head: 2 },
  },
  {
    title: "Other heads look around",
    text: "Head 0 of the same block spreads its attention over many patches, most of them background. It will matter at the end of the walk.",
    route: { view: "attention", layer: 3, head: 0 },
  },
  {
    title: "Star finds star",
    text: "After three blocks, the vector of a patch on one star points in nearly the same direction as patches on the other two, and away from the background. Nothing told the model which patches belong together.",
    route: { view: "stream", state: 3, token: patch(3, 3) },
  },
  {
    title: "A text becomes tokens",
    text: "The tokenizer cuts “three brown stars” into three pieces between two marks. The text tower, two layers of XLM-RoBERTa, works on five vectors; their mean becomes the text’s embedding.",
    route: { view: "text", token: 1 },
  },
  {
    title: "The number weighs most",
    text: "The pooled vector is a mean, so each token has a share in it. The largest share is that of “three”: in the demo’s world, numbers decide as much as colours and shapes do.",
    route: { view: "text", token: 1, state: 2 },
  },
  {
    title: "Languages meet",
    text: "“drei braune Sterne” has other pieces, and nearly the same embedding: the two texts’ cosine is above 0.99. After the last layer, “drei” is most similar to “three”.",
    route: { view: "text", token: 1, state: 2, other: "drei braune Sterne" },
  },
  {
    title: "One number joins the towers",
    text: "Both embeddings have length 1. Their cosine, times exp(logit_scale), is the logit; a softmax over several texts makes probabilities of logits. That is all that zero-shot classification is.",
    route: { view: "match", score: "labels" },
  },
  {
    title: "The count comes last",
    text: "Four labels differ only in their number. Read out after each block, “two” leads until the last one; only block 3 turns the answer to “three”. A raw lens is no belief, so the last step tests it.",
    route: { view: "lens", labels: counts, label: counts[2]! },
  },
  {
    title: "Here it counts to three",
    text: "Take out head 0 of layer 3, the one that looked around, and the model answers “two brown stars”. No other head of the last block does that. With the head, it counts to three.",
    route: {
      view: "intervene",
      labels: counts,
      label: counts[2]!,
      layer: 3,
      head: 0,
      part: "head",
      by: "zero",
    },
  },
].map((step) => ({ ...step, route: { image, text, ...step.route } }) as Step);
