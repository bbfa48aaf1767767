//go:build kubelet1.30 || kubelet1.31 || kubelet1.32

// Kubelets until 1.32 know no tokens of service accounts.
package main

import (
	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/kubernetes/pkg/credentialprovider/plugin"
)

func register(config, binDir string) error {
	return plugin.RegisterCredentialProviderPlugins(config, binDir)
}

func keyring(string) credentialprovider.DockerKeyring {
	return credentialprovider.NewDockerKeyring()
}
