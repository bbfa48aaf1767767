# An image of a node with the program, made from another image by the role of ../ansible.

packer {
  required_plugins {
    alicloud = {
      source  = "github.com/hashicorp/alicloud"
      version = ">= 1.1.2"
    }
    ansible = {
      source  = "github.com/hashicorp/ansible"
      version = "~> 1"
    }
  }
}

variable "region" {
  type = string
}

variable "source_image" {
  type        = string
  description = "Id of the image to start from, such as one of the node pool"
}

variable "instance_type" {
  type    = string
  default = "ecs.g7.large"
}

variable "provider_url" {
  type        = string
  description = "Of the executable for the architecture of the instance, where the instance can download it"
}

variable "provider_sha256" {
  type = string
}

variable "provider_config" {
  type    = string
  default = "/etc/kubernetes/credential-provider.yaml"
}

variable "provider_bin_dir" {
  type    = string
  default = "/usr/local/bin"
}

source "alicloud-ecs" "node" {
  region                      = var.region
  source_image                = var.source_image
  instance_type               = var.instance_type
  image_name                  = "acr-node-${formatdate("YYYYMMDDhhmmss", timestamp())}"
  associate_public_ip_address = true
  ssh_username                = "root"
}

build {
  sources = ["source.alicloud-ecs.node"]

  provisioner "ansible" {
    playbook_file = "${path.root}/../ansible/node.yml"
    use_proxy     = false
    extra_arguments = [
      "--extra-vars",
      jsonencode({
        acr_provider_url     = var.provider_url
        acr_provider_sha256  = var.provider_sha256
        acr_provider_config  = var.provider_config
        acr_provider_bin_dir = var.provider_bin_dir
      })
    ]
  }
}
