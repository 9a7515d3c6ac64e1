import { evaluateClassifier, type Evaluation } from "../../lib/probe/evaluate.ts";

/** An evaluation with equally many examples of each class; the first `wrong` of each are classified as the next class. */
export function evaluation(classes: number, examples: number, wrong: number): Evaluation {
  const labels = Array.from({ length: classes * examples }, (_, i) => i % classes);
  const logits = labels.flatMap((label, i) => {
    const predicted = Math.floor(i / classes) < wrong ? (label + 1) % classes : label;
    return Array.from({ length: classes }, (_, c) => (c === predicted ? 3 : 0));
  });
  return evaluateClassifier(Float32Array.from(logits), labels, classes);
}
