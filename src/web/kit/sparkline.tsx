/** The shape of a number over time, for a row of a table whose other cells say the number. Nulls are gaps. */
export const Sparkline = ({
  values,
  width = 120,
  height = 28,
}: {
  values: readonly (number | null)[];
  width?: number;
  height?: number;
}) => {
  const known = values.filter((value) => value !== null);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const x = (place: number): number =>
    values.length < 2 ? width / 2 : 1 + (place * (width - 2)) / (values.length - 1);
  const y = (value: number): number => (most === least ? height / 2 : height - 2 - ((value - least) / (most - least)) * (height - 4)); // prettier-ignore
  const path = values
    .map((value, place) =>
      value === null
        ? ""
        : `${place === 0 || values[place - 1] === null ? "M" : "L"}${x(place).toFixed(1)} ${y(value).toFixed(1)}`,
    ) // prettier-ignore
    .join("");
  return (
    <svg width={width} height={height} aria-hidden focusable="false">
      <path d={path} fill="none" stroke="var(--mantine-primary-color-filled)" strokeWidth={1.5} />
    </svg>
  );
};
