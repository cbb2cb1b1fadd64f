const FIRST = 400;
const LONGEST = 10_000;

/** Milliseconds to wait before attempt `n` (0 first): doubling, with up to a quarter taken off at random. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  return Math.min(LONGEST, FIRST * 2 ** Math.min(attempt, 16)) * (1 - 0.25 * random());
}
