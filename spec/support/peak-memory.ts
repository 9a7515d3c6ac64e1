/** The peak memory of a process, which the process prints to standard error when it ends. */

/** Arguments for Node. */
export const reportingPeak = [
  "--import",
  "data:text/javascript,process.on('exit',()=>console.error('peak',process.resourceUsage().maxRSS))",
];

/** In bytes. */
export function peakMemory(stderr: string): number {
  return Number(/peak (\d+)/.exec(stderr)?.[1]) * 1024;
}
