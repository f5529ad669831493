import { Client, credentials } from '@grpc/grpc-js';
import {
  type Decoded,
  decode,
  type Encodable,
  encode,
} from '../../../packages/datastore/src/etcd/protobuf.ts';
import { CRI } from './cri-messages.ts';

type Methods = typeof CRI;
type Name = keyof Methods;

const CALL_TIMEOUT_MS = 60_000;

/** A pod with one container. */
export interface Pod {
  readonly sandbox: string;
  readonly container: string;
  /** Of every family, as the runtime has been told. */
  readonly addresses: readonly string[];
}

export interface PodRequest {
  readonly name: string;
  readonly namespace?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What the kubelet asks of a container runtime, over its socket. */
export class CriClient implements Disposable {
  readonly #client: Client;
  readonly #image: string;

  /** @param image Of all containers; the runtime has it. */
  constructor(socket: string, image: string) {
    this.#client = new Client(`unix://${socket}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 200,
    });
    this.#image = image;
  }

  call<N extends Name>(
    name: N,
    request: Encodable<Methods[N]['request']>,
  ): Promise<Decoded<Methods[N]['response']>> {
    const { request: from, response: to } = CRI[name];
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest<typeof request, Decoded<Methods[N]['response']>>(
        `/runtime.v1.RuntimeService/${name}`,
        (value) => encode(from, value),
        (octets) => decode(to, octets) as Decoded<Methods[N]['response']>,
        request,
        { deadline: Date.now() + CALL_TIMEOUT_MS },
        (error, response) => (error || !response ? reject(error) : resolve(response)),
      );
    });
  }

  /** Starts a pod with one container, which waits. */
  async runPod({ name, namespace = 'default', annotations = {} }: PodRequest): Promise<Pod> {
    const config = {
      metadata: { name, namespace, uid: `${namespace}-${name}` },
      annotations: Object.entries(annotations).map(([key, value]) => ({ key, value })),
      linux: {},
    };
    const { pod_sandbox_id: sandbox } = await this.call('RunPodSandbox', { config });
    const { container_id: container } = await this.call('CreateContainer', {
      pod_sandbox_id: sandbox,
      config: { metadata: { name: 'box' }, image: { image: this.#image }, linux: {} },
      sandbox_config: config,
    });
    await this.call('StartContainer', { container_id: container });
    return { sandbox, container, addresses: await this.#addresses(sandbox) };
  }

  async #addresses(sandbox: string): Promise<string[]> {
    const { status } = await this.call('PodSandboxStatus', { pod_sandbox_id: sandbox });
    const network = status?.network;
    if (!network) return [];
    return [network.ip, ...network.additional_ips.map(({ ip }) => ip)];
  }

  /** Runs a command in the pod's container. @returns Its standard output. @throws If its exit code is not 0. */
  async exec({ container }: Pod, cmd: readonly string[]): Promise<string> {
    const request = { container_id: container, cmd, timeout: '30' };
    const { stdout, stderr, exit_code } = await this.call('ExecSync', request);
    if (exit_code !== 0) throw new Error(`${cmd.join(' ')}: ${exit_code}: ${stdout}${stderr}`);
    return stdout;
  }

  /** As the kubelet: it stops a pod more than once. */
  async removePod(sandbox: string): Promise<void> {
    await this.call('StopPodSandbox', { pod_sandbox_id: sandbox });
    await this.call('StopPodSandbox', { pod_sandbox_id: sandbox });
    await this.call('RemovePodSandbox', { pod_sandbox_id: sandbox });
  }

  async removeAll(): Promise<void> {
    const { items } = await this.call('ListPodSandbox', {});
    for (const { id } of items) await this.removePod(id);
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}
