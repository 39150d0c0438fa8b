// A handler of requests in Go: what it is given and what it returns is JSON.
package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"syscall/js"
)

type request struct {
	Method string `json:"method"`
	URL    string `json:"url"`
}

type response struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
}

func handle(in request) response {
	at, err := url.Parse(in.URL)
	if err != nil {
		return response{400, err.Error() + "\n"}
	}
	name := at.Query().Get("name")
	if name == "" {
		name = "Go"
	}
	return response{200, fmt.Sprintf("%s %s: hello, %s\n", in.Method, at.Path, strings.ToUpper(name))}
}

func main() {
	js.Global().Set("handle", js.FuncOf(func(_ js.Value, arguments []js.Value) interface{} {
		var in request
		if err := json.Unmarshal([]byte(arguments[0].String()), &in); err != nil {
			return `{"status": 500, "body": "no request"}`
		}
		out, _ := json.Marshal(handle(in))
		return string(out)
	}))
	select {} // the module stays, for the calls that come
}
