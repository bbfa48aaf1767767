// Asks for images as the kubelet does, by its own code: configuration, matching, exec, strict decoding, cache.
//
// Usage: kubelet CREDENTIAL_PROVIDER_CONFIG BIN_DIR IMAGE...; prints the log-ins of each image, a JSON array a line. Without
// an image it says only whether the kubelet would start: status 1 and the kubelet's error if not. With TOKEN set, the images
// belong to a pod whose service account has that token and the annotations in ANNOTATIONS (JSON). FEATURE_GATES is the
// kubelet's flag of that name.
//
// go.mod is that of the newest kubelet; of another one: go build -modfile=go-1.30.mod -tags=kubelet1.30. A new version takes
// a copy of go.mod with other numbers, and go mod tidy -modfile=COPY. The stand-ins replace two modules.
package main

import (
	"encoding/json"
	"log"
	"os"

	"k8s.io/apiserver/pkg/util/feature"
)

type login struct{ User, Password string }

var audience string

func main() {
	log.SetFlags(0)
	if err := feature.DefaultMutableFeatureGate.Set(os.Getenv("FEATURE_GATES")); err != nil {
		log.Fatal(err)
	}
	if err := register(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
	account := ""
	if os.Getenv("TOKEN") != "" {
		account = "app"
	}
	said := json.NewEncoder(os.Stdout)
	for _, image := range os.Args[3:] {
		logins := []login{}
		found, _ := keyring(account).Lookup(image)
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
