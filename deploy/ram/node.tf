# The RAM role of nodes with the permission to pull. An ACK node pool takes it by ram_role_name.
terraform {
  required_providers {
    alicloud = {
      source  = "aliyun/alicloud"
      version = ">= 1.252.0"
    }
  }
}

resource "alicloud_ram_role" "node" {
  role_name                   = "acr-node"
  assume_role_policy_document = file("${path.module}/trust-ecs.json")
}

resource "alicloud_ram_policy" "pull" {
  policy_name     = "acr-pull"
  policy_document = file("${path.module}/pull.json")
}

resource "alicloud_ram_role_policy_attachment" "node" {
  role_name   = alicloud_ram_role.node.role_name
  policy_name = alicloud_ram_policy.pull.policy_name
  policy_type = alicloud_ram_policy.pull.type
}
