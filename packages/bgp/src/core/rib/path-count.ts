/** Paths of one peer and family: all of them, and those from before its session came up. */
export class PathCount {
  all = 0;
  stale = 0;

  add(change: number, isStale: boolean): void {
    this.all += change;
    if (isStale) this.stale += change;
  }

  /** The session ended. @param retain Whether its paths stay. @param keepsStale And the stale ones, too. */
  end(retain: boolean, keepsStale: boolean): void {
    if (!keepsStale) this.all = retain ? this.all - this.stale : 0;
    this.stale = this.all;
  }

  dropStale(): void {
    this.all -= this.stale;
    this.stale = 0;
  }
}
