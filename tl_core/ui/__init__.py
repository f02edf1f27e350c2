"""What the pages are made of: the frame, the recipe bar, forms and charts. Only here, in `app.py` and in `pages/`
is Streamlit imported, and none of them imports Keras or TensorFlow: the process that serves pages stays small.
"""
