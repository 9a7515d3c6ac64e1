import { InputError } from "./input-error.ts";

/** The device that a model runs on has failed. The model has to be loaded again, on this backend or another one. */
export class DeviceError extends InputError {
  /** What happened, without the backend's name and the way out. */
  readonly reason: string;

  constructor(backend: string, reason: string) {
    super(`${backend}: ${reason}; load the model again, or choose the backend wasm`);
    this.reason = reason;
  }
}
