module k8s.io/cri-client
