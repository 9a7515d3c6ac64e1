/**
 * The tensors that image generators take: Stable Diffusion 2, unCLIP, IP-Adapter, Stable Video Diffusion, Wan 2.1.
 *
 * @module condition
 */
export { conditionOnImages, conditionOnTokens, type Conditioning } from "./condition.ts";
export { consumerNames, consumers, consumersOf, type Consumer, type ConsumerName } from "./consumers.ts";
export { preparations, prepareImage, type Preparation } from "./prepare-image.ts";
