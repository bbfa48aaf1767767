# The registry of another account: a role there (provider alicloud.owner), which the role of node.tf may assume.
variable "registry_owner" {
  type = object({
    account_id      = string # of the registry
    node_account_id = string # of the nodes
    external_id     = string # also externalId of the program's configuration
  })
}

resource "alicloud_ram_role" "partner" {
  provider  = alicloud.owner
  role_name = "acr-partner"
  assume_role_policy_document = replace(replace(replace(file("${path.module}/trust-account.json"),
    "NODE_ACCOUNT_ID", var.registry_owner.node_account_id), "NODE_ROLE", alicloud_ram_role.node.role_name),
  "EXTERNAL_ID", var.registry_owner.external_id)
}

resource "alicloud_ram_policy" "partner" {
  provider        = alicloud.owner
  policy_name     = "acr-pull"
  policy_document = file("${path.module}/pull.json")
}

resource "alicloud_ram_role_policy_attachment" "partner" {
  provider    = alicloud.owner
  role_name   = alicloud_ram_role.partner.role_name
  policy_name = alicloud_ram_policy.partner.policy_name
  policy_type = alicloud_ram_policy.partner.type
}

resource "alicloud_ram_policy" "assume_partner" {
  policy_name = "acr-assume-partner"
  policy_document = replace(replace(file("${path.module}/assume-role.json"),
  "ACCOUNT_ID", var.registry_owner.account_id), "ROLE_NAME", "acr-partner")
}

resource "alicloud_ram_role_policy_attachment" "assume_partner" {
  role_name   = alicloud_ram_role.node.role_name
  policy_name = alicloud_ram_policy.assume_partner.policy_name
  policy_type = alicloud_ram_policy.assume_partner.type
}
