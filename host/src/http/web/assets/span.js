// How long something took, in few words.
export function span(micros) {
  if (micros < 1e3) return `${Math.round(micros)} µs`;
  if (micros < 1e4) return `${(micros / 1e3).toFixed(2)} ms`;
  if (micros < 1e6) return `${Math.round(micros / 1e3)} ms`;
  if (micros < 6e7) return `${(micros / 1e6).toFixed(2)} s`;
  const seconds = Math.floor(micros / 1e6);
  const parts = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
  const told = [];
  let left = seconds;
  for (const [unit, name] of parts) {
    if (left >= unit) told.push(`${Math.floor(left / unit)}${name}`);
    left %= unit;
  }
  return told.slice(0, 2).join(" ");
}
