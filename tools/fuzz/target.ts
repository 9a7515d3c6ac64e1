/** What is fuzzed: a reader, inputs that it accepts, and ways to change them. */
import { Random } from "../demo-model/random.ts";

export interface Target {
  /** Inputs to begin with, small and different from each other. */
  readonly seeds: readonly Uint8Array[];
  /**
   * Changes that know the format: lengths and checksums fit afterwards, so that the change reaches the code behind these
   * checks. The runner adds changes of bytes.
   */
  readonly mutations: readonly Mutation[];
  /**
   * Reads an input.
   *
   * @returns the kind of the result in a few words; an input that gives a new one joins the corpus
   * @throws InputError if the input is refused; any other error is a finding
   */
  readonly run: (input: Uint8Array) => Promise<string>;
  /** Whether coverage tells what is new. Default: true; false for readers that load tfjs, see coverage.ts. */
  readonly usesCoverage?: boolean;
  /** Larger inputs are not generated. In bytes; default: 64 KB. */
  readonly maxSize?: number;
  /** Processor time that an input may take, in milliseconds. Default: the time for reading a file of its size. */
  readonly time?: number | ((input: Uint8Array) => number);
  /** Memory that an input may take, in bytes. Default: the limit for all readers. */
  readonly memory?: number;
  readonly close?: () => Promise<void>;
}

/** Makes an input from one of the corpus. @param other another input of the corpus, to take parts from */
export type Mutation = (input: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

/** Prepares a target. @param folder a temporary folder for files that it needs */
export type CreateTarget = (folder: string) => Target | Promise<Target>;
