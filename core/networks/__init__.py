"""Descriptions of the networks, written once against a small builder interface and free of any framework.

``core.models`` turns them into trainable Keras models, ``core.networks.onnx_builder`` into ONNX graphs, ``trace`` into lists of
variables. Layouts and names of variables are those of DeepFaceLab's files.
"""
