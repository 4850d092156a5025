
CA?
aaaaaaaaaaaaaaaabbbbbbbb*chatJ
gen_ai.request.model
m