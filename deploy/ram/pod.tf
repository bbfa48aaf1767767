# A RAM role for the pods of one service account, which may pull from one namespace of one instance.
variable "pod" {
  type = object({
    account_id      = string # of the role and of the registry
    cluster_id      = string # of the ACK cluster, which has RRSA enabled
    issuer          = string # as the cluster's OIDC provider in RAM has it, https://...
    namespace       = string
    service_account = string
    region          = string
    instance_id     = string # cri-...
    acr_namespace   = string
  })
}

locals {
  pod_trust = replace(replace(replace(replace(replace(file("${path.module}/trust-pod.json"),
    "ACCOUNT_ID", var.pod.account_id), "CLUSTER_ID", var.pod.cluster_id), "ISSUER_URL", var.pod.issuer),
  "POD_NAMESPACE", var.pod.namespace), "SERVICE_ACCOUNT", var.pod.service_account)
  pod_policy = replace(replace(replace(replace(file("${path.module}/pull-namespace.json"),
    "REGION_ID", var.pod.region), "ACCOUNT_ID", var.pod.account_id), "INSTANCE_ID", var.pod.instance_id),
  "ACR_NAMESPACE", var.pod.acr_namespace)
}

resource "alicloud_ram_role" "pod" {
  role_name                   = "acr-pod-${var.pod.namespace}-${var.pod.service_account}"
  assume_role_policy_document = local.pod_trust
}

resource "alicloud_ram_policy" "pod" {
  policy_name     = "acr-pull-${var.pod.acr_namespace}"
  policy_document = local.pod_policy
}

resource "alicloud_ram_role_policy_attachment" "pod" {
  role_name   = alicloud_ram_role.pod.role_name
  policy_name = alicloud_ram_policy.pod.policy_name
  policy_type = alicloud_ram_policy.pod.type
}
