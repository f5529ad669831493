import { many, message, one } from '../../../packages/datastore/src/etcd/protobuf.ts';

// What the tests use of Kubernetes' Container Runtime Interface, `runtime.v1`.
// https://github.com/kubernetes/cri-api/blob/master/pkg/apis/runtime/v1/api.proto

/** An entry of a `map<string, string>`. */
const Entry = message({ key: one(1, 'text'), value: one(2, 'text') });

const PodSandboxMetadata = message({
  name: one(1, 'text'),
  uid: one(2, 'text'),
  namespace: one(3, 'text'),
  attempt: one(4, 'int32'),
});

const PodSandboxConfig = message({
  metadata: one(1, PodSandboxMetadata),
  log_directory: one(3, 'text'),
  annotations: many(7, Entry),
  linux: one(8, message({})),
});

const ImageSpec = message({ image: one(1, 'text') });

const ContainerConfig = message({
  metadata: one(1, message({ name: one(1, 'text') })),
  image: one(2, ImageSpec),
  log_path: one(11, 'text'),
  linux: one(15, message({})),
});

const PodSandboxId = message({ pod_sandbox_id: one(1, 'text') });
const ContainerId = message({ container_id: one(1, 'text') });
const Nothing = message({});

const PodSandboxNetworkStatus = message({
  ip: one(1, 'text'),
  additional_ips: many(2, message({ ip: one(1, 'text') })),
});

const PodSandbox = message({ id: one(1, 'text'), metadata: one(2, PodSandboxMetadata) });

const RuntimeCondition = message({
  type: one(1, 'text'),
  status: one(2, 'bool'),
  reason: one(3, 'text'),
  message: one(4, 'text'),
});

/** Methods of `RuntimeService`, with what they take and give. */
export const CRI = {
  Status: {
    request: Nothing,
    response: message({ status: one(1, message({ conditions: many(1, RuntimeCondition) })) }),
  },
  RunPodSandbox: {
    request: message({ config: one(1, PodSandboxConfig) }),
    response: PodSandboxId,
  },
  StopPodSandbox: { request: PodSandboxId, response: Nothing },
  RemovePodSandbox: { request: PodSandboxId, response: Nothing },
  PodSandboxStatus: {
    request: PodSandboxId,
    response: message({ status: one(1, message({ network: one(5, PodSandboxNetworkStatus) })) }),
  },
  ListPodSandbox: { request: Nothing, response: message({ items: many(1, PodSandbox) }) },
  CreateContainer: {
    request: message({
      pod_sandbox_id: one(1, 'text'),
      config: one(2, ContainerConfig),
      sandbox_config: one(3, PodSandboxConfig),
    }),
    response: ContainerId,
  },
  StartContainer: { request: ContainerId, response: Nothing },
  StopContainer: {
    request: message({ container_id: one(1, 'text'), timeout: one(2, 'int64') }),
    response: Nothing,
  },
  RemoveContainer: { request: ContainerId, response: Nothing },
  ExecSync: {
    request: message({
      container_id: one(1, 'text'),
      cmd: many(2, 'text'),
      timeout: one(3, 'int64'),
    }),
    response: message({
      stdout: one(1, 'text'),
      stderr: one(2, 'text'),
      exit_code: one(3, 'int32'),
    }),
  },
} as const;
