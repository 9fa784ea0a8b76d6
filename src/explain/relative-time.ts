// A time as far from now, for people.

/** `in 5m 3s`, or `2h 1m 0s ago`. @param ms from now */
export function toRelative(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000)
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60]
  const span = [h && `${h}h`, m && `${m}m`, `${s}s`].filter(Boolean).join(' ')
  return ms >= 0 ? `in ${span}` : `${span} ago`
}
