/** Labels that every workload endpoint has, set from its namespace and orchestrator. */
export const NAMESPACE_LABEL = 'projectcalico.org/namespace';
export const ORCHESTRATOR_LABEL = 'projectcalico.org/orchestrator';

/** The service account of a workload. */
export const SERVICE_ACCOUNT_LABEL = 'projectcalico.org/serviceaccount';

/** The name of a namespace, a service account or a network set, where those are selected. */
export const NAME_LABEL = 'projectcalico.org/name';

/** Labels of a namespace reach its workloads with this before their keys. */
export const NAMESPACE_PREFIX = 'pcns.';

/** Labels of a service account reach its workloads with this before their keys. */
export const SERVICE_ACCOUNT_PREFIX = 'pcsa.';
