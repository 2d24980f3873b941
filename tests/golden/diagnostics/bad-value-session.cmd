printf 'model m {\n input x: f32[batch, 2]\n loss = mean(x |> dense(1))\n}\ntrain m { optimizer = sgd }\n:train many\n:set lr fast\n' | nnc
