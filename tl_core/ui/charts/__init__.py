"""Charts: pure functions from plain values to Plotly figures. They import neither Streamlit nor Keras.

`theme` holds the one visual language; each other module draws the figures of one page.
"""
