import { EtcdProcess, freePort } from './etcd-process.ts';

/** A real etcd of three members; gone when it leaves scope. */
export class EtcdCluster implements AsyncDisposable {
  readonly members: readonly EtcdProcess[];

  private constructor(members: readonly EtcdProcess[]) {
    this.members = members;
  }

  static async start(): Promise<EtcdCluster> {
    const peers = await Promise.all(
      ['a', 'b', 'c'].map(async (name) => ({ name, peerPort: await freePort() })),
    );
    const initialCluster = peers
      .map(({ name, peerPort }) => `${name}=http://127.0.0.1:${peerPort}`)
      .join(',');
    const args = ['--heartbeat-interval', '50', '--election-timeout', '500'];
    const members = await Promise.all(
      peers.map((peer) => EtcdProcess.start({ args, member: { ...peer, initialCluster } })),
    );
    return new EtcdCluster(members);
  }

  get endpoints(): string[] {
    return this.members.map(({ endpoint }) => endpoint);
  }

  /** The member that leads now. */
  async leader(): Promise<EtcdProcess> {
    for (const member of this.members) {
      const text = await member.ctl('endpoint', 'status', '-w', 'json').catch(() => '[]');
      const [status] = JSON.parse(text) as [MemberStatus?];
      if (status && status.Status.leader === status.Status.header.member_id) return member;
    }
    throw new Error('there is no leader');
  }

  /** Makes another member the leader. */
  async moveLeader(): Promise<void> {
    const leader = await this.leader();
    const other = this.members.find((member) => member !== leader);
    await leader.ctl('move-leader', await idOf(other));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map((member) => member[Symbol.asyncDispose]()));
  }
}

interface MemberStatus {
  readonly Status: { readonly header: { readonly member_id: number }; readonly leader: number };
}

/** In hexadecimal, as etcdctl takes it. JSON has it as a number that JavaScript would round. */
async function idOf(member: EtcdProcess | undefined): Promise<string> {
  const text = (await member?.ctl('endpoint', 'status', '-w', 'fields')) ?? '';
  const id = /"MemberID" : (\d+)/.exec(text)?.[1];
  if (id === undefined) throw new Error(`no member id in ${text}`);
  return BigInt(id).toString(16);
}
