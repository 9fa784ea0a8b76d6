// The promises that a run is held to; differences are taken within a round, so that a slow phase of the machine cancels out.
import { AWS_NAMES } from './aws-steps.ts'
import { type Measured, median } from './operation.ts'
import { NAMES } from './verifications.ts'

export interface Gate {
  /** The operation that it is about. */
  readonly operation: string
  readonly gate: string
  readonly thresholdUs: number
  readonly observedUs: number
  readonly passed: boolean
}

export function judge(measured: readonly Measured[]): Gate[] {
  const aboveSignature = differences(measured, NAMES.cold, NAMES.signature)
  return [
    toGate(NAMES.lookUp, 'a known token', 0.5, medianOf(measured, NAMES.lookUp)),
    toGate(NAMES.cold, 'above crypto.verify', 3, median(aboveSignature)),
    toGate(AWS_NAMES.lookUp, 'credentials look-up', 1, medianOf(measured, AWS_NAMES.lookUp)),
    toSigningGate(measured, AWS_NAMES.signed, AWS_NAMES.plain),
    toSigningGate(measured, AWS_NAMES.posted, AWS_NAMES.plainPost),
  ]
}

/** Microseconds of one operation above another, round by round. */
export function differences(measured: readonly Measured[], one: string, other: string): number[] {
  const subtrahends = samplesOf(measured, other)
  return samplesOf(measured, one).map((us, round) => us - (subtrahends[round] as number))
}

function medianOf(measured: readonly Measured[], name: string): number {
  return median(samplesOf(measured, name))
}

function samplesOf(measured: readonly Measured[], name: string): readonly number[] {
  return measured.find((one) => one.name === name)?.samples ?? []
}

/** @param plain the same request to an upstream that is not AWS */
function toSigningGate(measured: readonly Measured[], signed: string, plain: string): Gate {
  return toGate(signed, 'what signing adds', 60, median(differences(measured, signed, plain)))
}

function toGate(operation: string, gate: string, thresholdUs: number, observedUs: number): Gate {
  return { operation, gate, thresholdUs, observedUs, passed: observedUs <= thresholdUs }
}
