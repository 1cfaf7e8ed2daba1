"""Networks: descriptions, written once and free of any framework, and what turns them into something else.

``keras_builder`` makes trainable Keras models of them, ``onnx_builder`` and ``onnx_graph`` ONNX files, ``shapes`` lists
of variables. ``builder`` says how to add an operation. Layouts and names of variables are those of DeepFaceLab's files.
"""
