/** A tower of three blocks on numbers that a reader can follow. */
import { add, mul, reshape, sum, type Tensor2D, type Tensor3D } from "@tensorflow/tfjs-core";
import { Module } from "../../lib/nn/module.ts";
import { Tower, type Block } from "../../lib/nn/tower.ts";
import type { WeightScope } from "../../lib/tensor/model-weights.ts";
import type { Loadable, Residency, Weight } from "../../lib/tensor/weight.ts";
import { buildOn, type ExampleStore } from "./layers.ts";

/** x ← scale · x + shift */
class ExampleBlock extends Module<[x: Tensor3D], Tensor3D> implements Block {
  readonly scale: Weight;
  readonly shift: Weight;
  readonly attentionScope: WeightScope;
  readonly width = 2;
  readonly heads = 1;

  constructor(scope: WeightScope) {
    super(scope);
    this.scale = scope.get("scale", []);
    this.shift = scope.get("shift", []);
    this.attentionScope = scope;
  }

  protected forward(x: Tensor3D): Tensor3D {
    return add(mul(x, this.scale.tensor), this.shift.tensor);
  }
}

/** Multiplies by `factor`, runs three blocks, and sums up the stream. */
export class ExampleTower extends Tower<Tensor3D> {
  readonly factor: Weight;
  readonly blocks: readonly ExampleBlock[];
  readonly containers: readonly WeightScope[];
  readonly head: Weight;

  constructor(scope: WeightScope) {
    super(scope);
    this.factor = scope.get("factor", []);
    this.blocks = [0, 1, 2].map((i) => new ExampleBlock(scope.at(`blocks.${i}`)));
    this.containers = [scope.at("inner"), scope.at("outer")];
    this.head = scope.get("head", []);
  }

  locked(): readonly Weight[] {
    return [this.factor];
  }

  embedWeights(): readonly Loadable[] {
    return [this.factor];
  }

  embed(x: Tensor3D): Tensor3D {
    return mul(x, this.factor.tensor);
  }

  mask(): undefined {
    return undefined;
  }

  get embedTap(): string {
    return "tower#embedded"; // not emitted
  }

  get readOutWeights(): readonly Loadable[] {
    return [this.head];
  }

  readOut(x: Tensor3D): Tensor2D {
    return reshape(mul(sum(x), this.head.tensor), [1, 1]);
  }
}

export const weights = {
  "tower.factor": 10,
  "tower.blocks.0.scale": 2,
  "tower.blocks.0.shift": 1,
  "tower.blocks.1.scale": 3,
  "tower.blocks.1.shift": 0,
  "tower.blocks.2.scale": 1,
  "tower.blocks.2.shift": 100,
  "tower.head": 0.5,
};

/** [1, 2] · 10 = [10, 20]; 2x + 1; 3x; x + 100; (163 + 223) / 2. */
export const expectedTaps = {
  "tower.blocks.0": [[[21, 41]]],
  "tower.blocks.1": [[[63, 123]]],
  "tower.blocks.2": [[[163, 223]]],
  "tower.inner": [[[163, 223]]],
  "tower.outer": [[[163, 223]]],
  tower: [[193]],
};

export interface Example {
  readonly tower: ExampleTower;
  readonly store: ExampleStore;
  readonly scope: WeightScope;
  /** Names of the weights that are loaded. */
  readonly loaded: () => string[];
}

/** The tower on its weights. */
export function example(residency: Residency): Example {
  const {
    layer,
    weights: all,
    store,
  } = buildOn(weights, (scope) => new ExampleTower(scope.at("tower")), residency);
  const loaded = (): string[] => all.handles.filter(({ isLoaded }) => isLoaded).map(({ name }) => name);
  return { tower: layer, store, scope: all.root, loaded };
}
