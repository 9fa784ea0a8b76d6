-- Asks Poolgate whether a request may go on, and puts its header fields on those that may. Whatever goes wrong, the answer is no.
local ENDPOINT = "http://127.0.0.1:8080/_poolgate/forward-auth"
local TIMEOUT_MS = 5000

-- Of one connection, or of a body that is not sent along.
local LEFT_OUT = {
  ["connection"] = true, ["content-length"] = true, ["expect"] = true, ["keep-alive"] = true, ["te"] = true,
  ["trailer"] = true, ["transfer-encoding"] = true, ["upgrade"] = true,
}
local IDENTITY = {
  "x-auth-subject", "x-auth-username", "x-auth-groups", "x-auth-scopes", "x-auth-client-id", "x-auth-email", "x-auth-token-use",
}
local FOR_THE_CLIENT = {
  "content-type", "www-authenticate", "retry-after", "x-poolgate-reason", "x-request-id", "location", "set-cookie", "cache-control",
}

-- HAProxy counts values from 0.
local function all(values)
  local list = {}
  for i = 0, values and #values or -1 do list[#list + 1] = values[i] end
  return list
end

local function first(fields, name)
  return fields and fields[name] and fields[name][0]
end

local function question(txn)
  local fields = {}
  for name, values in pairs(txn.http:req_get_headers()) do
    if not LEFT_OUT[name] then fields[name] = all(values) end
  end
  fields["x-forwarded-for"] = { txn.f:src() }
  fields["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" }
  fields["x-forwarded-host"] = fields["host"] or { "" }
  fields["x-forwarded-method"] = { txn.f:method() }
  -- As it goes on: nothing of it is decoded or resolved.
  fields["x-forwarded-uri"] = { txn.f:url() }
  return fields
end

local function refuse(txn, answer)
  -- 0: nobody answered. Any other status but these is a fault; 302 is for a browser that has to sign in.
  local denied = answer.status == 302 or answer.status == 401 or answer.status == 403
  local reply = txn:reply({ status = denied and answer.status or 403, body = denied and answer.body or "" })
  for _, name in ipairs(denied and FOR_THE_CLIENT or {}) do
    for _, value in ipairs(all(answer.headers[name])) do reply:add_header(name, value) end
  end
  txn:done(reply)
end

core.register_action("poolgate", { "http-req" }, function(txn)
  local answer = core.httpclient():get({ url = ENDPOINT, headers = question(txn), timeout = TIMEOUT_MS })
  if answer.status ~= 200 then return refuse(txn, answer) end
  for _, name in ipairs(IDENTITY) do
    local value = first(answer.headers, name)
    -- Empty where the caller has no such claim; the client's own field is gone already.
    if value and value ~= "" then txn.http:req_set_header(name, value) end
  end
  -- Without Poolgate's own; there may be nothing left of it.
  local cookie = first(answer.headers, "cookie")
  txn.http:req_del_header("cookie")
  if cookie and cookie ~= "" then txn.http:req_set_header("cookie", cookie) end
  txn:set_priv(answer.headers["set-cookie"])
  txn:set_var("txn.poolgate_allowed", true)
end)

core.register_action("poolgate_cookies", { "http-res" }, function(txn)
  local cookies = all(txn:get_priv())
  for _, cookie in ipairs(cookies) do txn.http:res_add_header("set-cookie", cookie) end
  -- A cache would give one user's session to another.
  if #cookies > 0 then txn.http:res_set_header("cache-control", "no-store") end
end)
