/**
 * A WebGPU device, and what can go wrong with it.
 *
 * Most of WebGPU's errors are not exceptions: a call with an invalid or missing object does nothing, and the
 * result is zeros. They are collected here, so that a result can be checked before it is used.
 *
 * Source: the WebGPU specification, sections 22 (errors) and 4.4 (devices).
 */
import { DeviceError } from "../errors/device-error.ts";
import { InputError } from "../errors/input-error.ts";

/** The limits that are requested from the adapter: as large as it has them. The defaults suit small devices. */
const limits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupsPerDimension",
] as const;

const errorScopes = ["validation", "out-of-memory", "internal"] as const;

export class WebgpuDevice {
  readonly device: GPUDevice;
  readonly info: GPUAdapterInfo;
  /** Why results are not valid any more: the device was lost, or a call failed. It does not recover. */
  #failure: string | null = null;

  private constructor(device: GPUDevice, info: GPUAdapterInfo) {
    this.device = device;
    this.info = info;
    this.#openScopes();
    void device.lost.then(({ reason, message }) => {
      const detail = message === "" ? reason : `${reason}: ${message.replace(/\.$/, "")}`;
      this.#fail(`the GPU device was lost (${detail})`);
    });
  }

  /**
   * Requests a device with the adapter's own limits.
   *
   * @throws InputError if no adapter is found, or the adapter refuses the device
   */
  static async request(gpu: GPU): Promise<WebgpuDevice> {
    const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
    if (adapter === null) {
      throw new InputError(
        "webgpu: no GPU adapter found; install the GPU's driver, or choose the backend wasm",
      );
    }
    const requiredLimits = Object.fromEntries(limits.map((name) => [name, adapter.limits[name]]));
    try {
      return new WebgpuDevice(await adapter.requestDevice({ requiredLimits }), adapter.info);
    } catch (cause) {
      throw new InputError(
        `webgpu: the adapter ${describeAdapter(adapter.info)} gives no device (${String(cause)}); choose the backend wasm`,
        [],
        { cause },
      );
    }
  }

  get hasFailed(): boolean {
    return this.#failure !== null;
  }

  /** @throws DeviceError if a call before this one failed, or the device is lost */
  async assertValid(): Promise<void> {
    const errors = await this.#closeScopes();
    for (const error of errors) {
      if (error !== null) this.#fail(`the GPU reports an error: ${error.message.split("\n")[0]}`);
    }
    this.assertNotFailed();
  }

  /** @throws DeviceError if `assertValid` has found an error, or the device is lost */
  assertNotFailed(): void {
    if (this.#failure !== null) throw new DeviceError("webgpu", this.#failure);
  }

  #openScopes(): void {
    for (const filter of errorScopes) this.device.pushErrorScope(filter);
  }

  /** Closes the scopes and opens new ones: all errors of the calls until now. The device's event may come later. */
  #closeScopes(): Promise<(GPUError | null)[]> {
    const closed = errorScopes.map(() => this.device.popErrorScope().catch(() => null)); // rejected if it is lost
    this.#openScopes();
    return Promise.all(closed);
  }

  #fail(reason: string): void {
    this.#failure ??= reason;
  }
}

/** What an adapter is, and the largest buffers that it gives. */
export interface Adapter {
  /** "nvidia ampere: NVIDIA GeForce RTX 3060"; for a software adapter with ", in software". */
  readonly name: string;
  /** Whether the processor emulates a GPU. */
  readonly isSoftware: boolean;
  /** In bytes. */
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
}

/** The adapters that the host offers, by WebGPU's preferences: fast, economical, software. */
export async function listAdapters(gpu: GPU): Promise<Adapter[]> {
  const requests: readonly GPURequestAdapterOptions[] = [
    { powerPreference: "high-performance" },
    { powerPreference: "low-power" },
    { forceFallbackAdapter: true },
  ];
  const found = new Map<string, Adapter>();
  for (const request of requests) {
    const adapter = await gpu.requestAdapter(request);
    if (adapter === null) continue;
    const { info, limits } = adapter;
    const { maxBufferSize, maxStorageBufferBindingSize } = limits;
    const isSoftware = info.isFallbackAdapter;
    const name = describeAdapter(info);
    found.set(name, { name, isSoftware, maxBufferSize, maxStorageBufferBindingSize });
  }
  return [...found.values()];
}

/** What the driver reports of an adapter. Browsers may leave out all but the vendor. */
export function describeAdapter({
  vendor,
  architecture,
  device,
  description,
  isFallbackAdapter,
}: Pick<GPUAdapterInfo, "vendor" | "architecture" | "device" | "description" | "isFallbackAdapter">): string {
  const family = [vendor, architecture].filter((part) => part !== "").join(" ");
  const model = [device, description].find((part) => part.includes(" ")); // others are ids
  const name = [family, model].filter((part) => part !== undefined && part !== "").join(": ");
  return `${name === "" ? "unknown adapter" : name}${isFallbackAdapter ? ", in software" : ""}`;
}
