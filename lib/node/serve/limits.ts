/** How many requests a server works on, how large and for how long. */

/** The limits of a server. */
export interface Limits {
  /** Of a request's body, in bytes. */
  readonly largestBody: number;
  /** Requests that are worked on at the same time, at most; others are told to come back. */
  readonly mostRequests: number;
  /** Of the bodies of these requests together, in bytes. */
  readonly largestBodies: number;
  /** For a request to arrive, in milliseconds. */
  readonly arrival: number;
  /** For an answer, in milliseconds. */
  readonly answer: number;
  /** For requests to end when the server stops, in milliseconds. */
  readonly grace: number;
}

export const defaultLimits: Limits = {
  largestBody: 10e6,
  mostRequests: 256,
  largestBodies: 256e6,
  arrival: 30_000,
  answer: 120_000,
  grace: 10_000,
};
