/** The colours of the style sheet that canvases draw with. */
export interface Inks {
  ink: string;
  muted: string;
  faint: string;
  edge: string;
  map: string;
  raised: string;
  accent: string;
  alarm: string;
  warning: string;
}

export function readInks(): Inks {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: of("ink"),
    muted: of("muted"),
    faint: of("faint"),
    edge: of("edge"),
    map: of("map"),
    raised: of("raised"),
    accent: of("accent"),
    alarm: of("alarm"),
    warning: of("warning"),
  };
}
