const STATUS = { invalid: 400, 'not-found': 404, starting: 503 } as const;

/** Becomes the reply `{ error: { code, message } }`. */
export class SpeakerRequestError extends Error {
  override readonly name = 'SpeakerRequestError';
  readonly status: 400 | 404 | 503;
  /** For programs, stable. */
  readonly code: keyof typeof STATUS;

  constructor(code: SpeakerRequestError['code'], message: string) {
    super(message);
    this.code = code;
    this.status = STATUS[code];
  }
}
