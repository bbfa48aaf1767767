// Asks for images as the kubelet does, by its own code: configuration, matching, exec, strict decoding, cache.
//
// Usage: kubelet CREDENTIAL_PROVIDER_CONFIG BIN_DIR IMAGE...; prints the log-ins of each image, a JSON array a line. With
// TOKEN set, the images belong to a pod whose service account has that token and the annotations in ANNOTATIONS (JSON).
package main

import (
	"encoding/json"
	"log"
	"os"
	"time"

	authentication "k8s.io/api/authentication/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/credentialprovider/plugin"
)

type login struct{ User, Password string }

var audience string

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

func main() {
	if err := plugin.RegisterCredentialProviderPlugins(os.Args[1], os.Args[2], serviceAccountToken, serviceAccount); err != nil {
		log.Fatal(err)
	}
	account := ""
	if os.Getenv("TOKEN") != "" {
		account = "app"
	}
	said := json.NewEncoder(os.Stdout)
	for _, image := range os.Args[3:] {
		logins := []login{}
		found, _ := plugin.NewExternalCredentialProviderDockerKeyring("default", "pod", "pod-uid", account).Lookup(image)
		for _, auth := range found {
			logins = append(logins, login{auth.Username, auth.Password})
		}
		if err := said.Encode(logins); err != nil {
			log.Fatal(err)
		}
	}
	if account != "" && audience != "sts.aliyuncs.com" {
		log.Fatalf("a token of the audience %q was asked for", audience)
	}
}
