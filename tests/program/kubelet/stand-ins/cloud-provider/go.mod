module k8s.io/cloud-provider
