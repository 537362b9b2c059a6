// Command alibaba-go walks through the vendor's Go SDK for cr 2018-12-01 and prints what it was told, as one JSON object.
//
// Environment: REGION and ENDPOINT (empty: the SDK finds it by the region), PROTOCOL, ALGORITHM (empty: V3; v2: V1), ACCESS_KEY_ID,
// ACCESS_KEY_SECRET, SECURITY_TOKEN, INSTANCE_NAME, NAMESPACE.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	cr "github.com/alibabacloud-go/cr-20181201/v2/client"
	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/tea"
)

func optional(name string) *string {
	if value := os.Getenv(name); value != "" {
		return tea.String(value)
	}
	return nil
}

func client() (*cr.Client, error) {
	return cr.NewClient(&openapi.Config{
		AccessKeyId:        optional("ACCESS_KEY_ID"),
		AccessKeySecret:    optional("ACCESS_KEY_SECRET"),
		SecurityToken:      optional("SECURITY_TOKEN"),
		RegionId:           optional("REGION"),
		Endpoint:           optional("ENDPOINT"),
		Protocol:           optional("PROTOCOL"),
		SignatureAlgorithm: optional("ALGORITHM"),
	})
}

// told is what an error says: the SDK's own type, read field by field.
func told(err error) map[string]any {
	var sdk *tea.SDKError
	if !errors.As(err, &sdk) {
		return map[string]any{"error": err.Error()}
	}
	return map[string]any{"code": tea.StringValue(sdk.Code), "status": tea.IntValue(sdk.StatusCode), "message": tea.StringValue(sdk.Message)}
}

func walk(c *cr.Client) (map[string]any, error) {
	out := map[string]any{}
	name := os.Getenv("INSTANCE_NAME")
	listed, err := c.ListInstance(&cr.ListInstanceRequest{InstanceName: &name})
	if err != nil {
		return nil, err
	}
	var id *string
	for _, instance := range listed.Body.Instances {
		if tea.StringValue(instance.InstanceName) == name {
			id = instance.InstanceId
		}
	}
	out["list_instance"] = listed.Body
	namespace := os.Getenv("NAMESPACE")
	created, err := c.CreateNamespace(&cr.CreateNamespaceRequest{InstanceId: id, NamespaceName: &namespace, AutoCreateRepo: tea.Bool(true), DefaultRepoType: tea.String("PRIVATE")})
	if err != nil {
		return nil, err
	}
	out["create_namespace"] = created.Body
	got, err := c.GetNamespace(&cr.GetNamespaceRequest{InstanceId: id, NamespaceName: &namespace})
	if err != nil {
		return nil, err
	}
	out["get_namespace"] = got.Body
	token, err := c.GetAuthorizationToken(&cr.GetAuthorizationTokenRequest{InstanceId: id})
	if err != nil {
		return nil, err
	}
	out["get_authorization_token"] = token.Body
	_, err = c.GetAuthorizationToken(&cr.GetAuthorizationTokenRequest{})
	if err == nil {
		return nil, errors.New("a call without InstanceId was answered")
	}
	out["without_instance"] = told(err)
	return out, nil
}

func main() {
	c, err := client()
	if err == nil {
		var out map[string]any
		if out, err = walk(c); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		_ = json.NewEncoder(os.Stdout).Encode(map[string]any{"failed": told(err)})
		os.Exit(1)
	}
}
