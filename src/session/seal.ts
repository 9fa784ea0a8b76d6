// Seals text for one purpose, so that whoever holds it can neither read nor change it.

export interface Seal {
  seal(purpose: string, text: string): Promise<string>
  /** Undefined for what was not sealed for this purpose with one of our keys. */
  open(purpose: string, sealed: string): Promise<string | undefined>
}
