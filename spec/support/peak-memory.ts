/** The peak memory of a process, which it prints on standard error at its end. */

/** Arguments for Node. */
export const reportingPeak = [
  "--import",
  "data:text/javascript,process.on('exit',()=>console.error('peak',process.resourceUsage().maxRSS))",
];

/** In bytes. */
export function peakMemory(stderr: string): number {
  return Number(/peak (\d+)/.exec(stderr)?.[1]) * 1024;
}
