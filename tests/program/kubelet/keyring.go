//go:build !kubelet1.30 && !kubelet1.31 && !kubelet1.32

package main

import (
	"encoding/json"
	"os"
	"time"

	authentication "k8s.io/api/authentication/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/kubernetes/pkg/credentialprovider/plugin"
)

func serviceAccount(namespace, name string) (*core.ServiceAccount, error) {
	account := &core.ServiceAccount{ObjectMeta: meta.ObjectMeta{Namespace: namespace, Name: name, UID: "account"}}
	return account, json.Unmarshal([]byte(os.Getenv("ANNOTATIONS")), &account.Annotations)
}

func serviceAccountToken(_, _ string, request *authentication.TokenRequest) (*authentication.TokenRequest, error) {
	audience = request.Spec.Audiences[0]
	request.Status.Token = os.Getenv("TOKEN")
	request.Status.ExpirationTimestamp = meta.NewTime(time.Now().Add(time.Hour))
	return request, nil
}

func register(config, binDir string) error {
	return plugin.RegisterCredentialProviderPlugins(config, binDir, serviceAccountToken, serviceAccount)
}

func keyring(account string) credentialprovider.DockerKeyring {
	return plugin.NewExternalCredentialProviderDockerKeyring("default", "pod", "pod-uid", account)
}
