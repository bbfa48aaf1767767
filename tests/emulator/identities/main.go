// Prints the access key id that the default chain of credentials-go yields.
package main

import (
	"encoding/json"
	"os"

	"github.com/aliyun/credentials-go/credentials"
)

func pick() (string, error) {
	chain, err := credentials.NewCredential(nil)
	if err != nil {
		return "", err
	}
	picked, err := chain.GetCredential()
	if err != nil {
		return "", err
	}
	return *picked.AccessKeyId, nil
}

func main() {
	said := map[string]string{}
	if id, err := pick(); err != nil {
		said["error"] = err.Error()
	} else {
		said["id"] = id
	}
	if json.NewEncoder(os.Stdout).Encode(said) != nil {
		os.Exit(1)
	}
}
